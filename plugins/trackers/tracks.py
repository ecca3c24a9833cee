"""The tracks of one film and their lives, which the trackers of this folder share: only how they associate differs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.assignment import assign
from facecli.geometry import overlap
from facecli.plugins.trackers.motion import Motion
from facecli.types import FloatArray, Tracked

Indices = NDArray[np.intp]
INSTANT = 1e-6  # s: what sums of times may be off by


@dataclass(frozen=True, slots=True)
class Life:
    """The bounds of a track's life.

    max_age: seconds that a track lives on without a detection. min_hits: detections in a row, after the first, until a
    track is confirmed; in the first `min_hits` frames of a film every track is.
    """

    max_age: float
    min_hits: int


class Tracks:
    """The living tracks of one film: T rows of ids, of times since the last detection, and of hits in a row."""

    def __init__(self, life: Life) -> None:
        self.motion = Motion()
        self.ids = np.zeros(0, np.int64)
        self.lost = np.zeros(0)  # seconds since the last detection
        self.hits = np.zeros(0, np.int64)
        self._life = life
        self._next = 1
        self._frames = 0

    def advance(self, seconds: float) -> None:
        """Move all tracks on to the next frame; end those that were lost for too long."""
        self._frames += 1
        self.motion.predict(seconds)
        self.hits[self.lost > 0] = 0
        self.lost += max(seconds, INSTANT)
        # In the frame before, the oldest was lost for max_age. After a longer break nobody is where they were.
        self._keep(self.lost <= self._life.max_age + min(seconds, self._life.max_age) + 2 * INSTANT)

    def hit(self, rows: Indices, bboxes: FloatArray) -> None:
        """Give the tracks `rows`, (N,), their detections' boxes (N, 4)."""
        self.motion.correct(rows, bboxes)
        self.lost[rows] = 0
        self.hits[rows] += 1

    def begin(self, bboxes: FloatArray) -> NDArray[np.int64]:
        """Begin a track at each of these boxes (N, 4); return the ids."""
        new = np.arange(self._next, self._next + len(bboxes), dtype=np.int64)
        self._next += len(bboxes)
        self.motion.add(bboxes)
        self.ids = np.concatenate([self.ids, new])
        self.lost = np.concatenate([self.lost, np.zeros(len(new))])
        self.hits = np.concatenate([self.hits, np.zeros(len(new), np.int64)])
        return new

    def answer(self, ids: NDArray[np.int64]) -> Tracked:
        """Return the answer about a frame whose detections have these ids, after ending what has lived its time."""
        self._keep(self.lost <= self._life.max_age + INSTANT)
        order = np.argsort(self.ids)
        rows = order[np.searchsorted(self.ids, ids, sorter=order)]
        confirmed = (self.hits[rows] >= self._life.min_hits) | (self._frames <= self._life.min_hits)
        gone = self.lost > 0
        bboxes = self.motion.bboxes
        return Tracked(ids, bboxes[rows], confirmed, self.ids[gone], bboxes[gone])

    def drop(self, ids: NDArray[np.int64]) -> None:
        """End these tracks at once."""
        self._keep(~np.isin(self.ids, ids))

    def _keep(self, rows: NDArray[np.bool_]) -> None:
        if not rows.all():
            self.motion.keep(rows)
            self.ids, self.lost, self.hits = self.ids[rows], self.lost[rows], self.hits[rows]


def matched(bboxes: FloatArray, tracks: FloatArray, least: float) -> tuple[Indices, Indices]:
    """Return the pairs of boxes (N, 4) and tracks' boxes (M, 4) of the largest overlap in all: two (K,) of indices.

    least: intersection over union that a pair has at least.
    """
    alike = overlap(bboxes, tracks)
    rows, columns = assign(-alike)
    good = alike[rows, columns] >= least
    return rows[good], columns[good]
