"""CLEAR MOT: misses, false boxes and switched identities, frame by frame.

K. Bernardin and R. Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics", EURASIP
Journal on Image and Video Processing, 2008; details as in the package trackeval, which MOTChallenge uses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facecli.assignment import assign
from facecli.evaluation.tracking.boxes import Comparison, Ids, Step

BONUS = 1000.0  # what a match of the frame before is worth beside the overlap, which is at most 1
MOSTLY, HARDLY = 0.8, 0.2  # parts of a person's frames
NOBODY = -1
EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True)
class Clear:
    """The counts.

    hits, misses, false: boxes. switches: how often a person's id changed. fragments: how often a person was found
    again. overlap: sum over the hits. mostly_tracked, mostly_lost: people.
    """

    hits: int
    misses: int
    false: int
    switches: int
    fragments: int
    overlap: float
    mostly_tracked: int
    mostly_lost: int

    @property
    def mota(self) -> float | None:
        """1 minus all errors per true box; below 0 where there are more errors. None without a true box."""
        true = self.hits + self.misses
        return (self.hits - self.false - self.switches) / true if true else None

    @property
    def motp(self) -> float | None:
        """The mean overlap of a hit, None without any."""
        return self.overlap / self.hits if self.hits else None


def clear(comparison: Comparison, least: float) -> Clear:
    """Return the counts of CLEAR MOT. least: intersection over union of a hit."""
    found = np.zeros(comparison.people, np.int64)
    seen, fragments = found.copy(), found.copy()
    ever, latest = np.full_like(found, NOBODY), np.full_like(found, NOBODY)
    hits = switches = 0
    total = 0.0
    for step in comparison.steps:
        seen[step.truth] += 1
        if not (len(step.truth) and len(step.tracks)):
            continue
        rows, columns = _matches(step, latest, least)
        people, tracks = step.truth[rows], step.tracks[columns]
        switches += int(((ever[people] != NOBODY) & (ever[people] != tracks)).sum())
        ever[people] = tracks
        before = latest != NOBODY
        latest[:] = NOBODY
        latest[people] = tracks
        fragments += ~before & (latest != NOBODY)
        found[people] += 1
        hits += len(rows)
        total += float(step.alike[rows, columns].sum())
    part = found[seen > 0] / seen[seen > 0]
    return Clear(
        hits=hits,
        misses=comparison.true_boxes - hits,
        false=comparison.tracked_boxes - hits,
        switches=switches,
        fragments=int((fragments[fragments > 0] - 1).sum()),
        overlap=total,
        mostly_tracked=int((part > MOSTLY).sum()),
        mostly_lost=int((part < HARDLY).sum()),
    )


def _matches(step: Step, latest: Ids, least: float) -> tuple[Ids, Ids]:
    """Return who matches whom, those of the frame before first, as rows and columns of a frame."""
    same = latest[step.truth][:, None] == step.tracks[None]
    scores = np.where(step.alike >= least - EPSILON, BONUS * same + step.alike, 0.0)
    rows, columns = assign(-scores)
    good = scores[rows, columns] > EPSILON
    return rows[good].astype(np.int64), columns[good].astype(np.int64)
