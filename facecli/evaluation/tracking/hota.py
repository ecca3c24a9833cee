"""HOTA: how well boxes are found, and how well they are kept together, in equal parts, over all overlaps.

J. Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facecli.assignment import assign
from facecli.evaluation.tracking.boxes import Comparison, Similarity

OVERLAPS = np.arange(0.05, 0.96, 0.05)
EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True)
class Hota:
    """The means over all overlaps. detection, association: the two parts. location: overlap of the boxes found."""

    hota: float
    detection: float
    association: float
    location: float


def hota(comparison: Comparison) -> Hota | None:
    """Return the figures of HOTA, None without any box."""
    if not (comparison.true_boxes or comparison.tracked_boxes):
        return None
    likely, true, tracked = _alignment(comparison)
    matches = np.zeros((len(OVERLAPS), comparison.people, comparison.tracks))
    overlaps = np.zeros(len(OVERLAPS))
    for step in comparison.steps:
        rows, columns = assign(-(likely[np.ix_(step.truth, step.tracks)] * step.alike))
        alike = step.alike[rows, columns]
        good = alike[None] >= OVERLAPS[:, None] - EPSILON
        matches[:, step.truth[rows], step.tracks[columns]] += good
        overlaps += (good * alike).sum(1)
    hits = matches.sum((1, 2))
    detection = hits / (comparison.true_boxes + comparison.tracked_boxes - hits)
    together = matches / np.maximum(true[:, None] + tracked[None] - matches, 1)
    association = (matches * together).sum((1, 2)) / np.maximum(hits, 1)
    location = np.where(hits > 0, overlaps / np.maximum(hits, 1), 1.0)
    both = np.sqrt(detection * association)
    return Hota(*(float(part.mean()) for part in (both, detection, association, location)))


def _alignment(comparison: Comparison) -> tuple[Similarity, Similarity, Similarity]:
    """Return how likely each person is each track, (P, T), over the whole film; and their boxes, (P,) and (T,)."""
    together = np.zeros((comparison.people, comparison.tracks))
    true, tracked = np.zeros(comparison.people), np.zeros(comparison.tracks)
    for step in comparison.steps:
        true[step.truth] += 1
        tracked[step.tracks] += 1
        union = step.alike.sum(0)[None] + step.alike.sum(1)[:, None] - step.alike
        together[np.ix_(step.truth, step.tracks)] += np.divide(
            step.alike, union, out=np.zeros_like(step.alike), where=union > EPSILON
        )
    return together / np.maximum(true[:, None] + tracked[None] - together, EPSILON), true, tracked
