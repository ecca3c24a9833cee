"""IDF1: each person is one track or none, over the whole film.

E. Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCV Workshops 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facecli.assignment import assign
from facecli.evaluation.tracking.boxes import Comparison


@dataclass(frozen=True, slots=True)
class Identity:
    """The counts. right: boxes of the track that a person is. true, tracked: boxes in all."""

    right: int
    true: int
    tracked: int

    @property
    def idf1(self) -> float | None:
        """The harmonic mean of precision and recall of identities, None without any box."""
        boxes = self.true + self.tracked
        return 2 * self.right / boxes if boxes else None


def identity(comparison: Comparison, least: float) -> Identity:
    """Return the counts of the best one-to-one assignment. least: intersection over union of a match."""
    together = np.zeros((comparison.people, comparison.tracks))
    for step in comparison.steps:
        together[np.ix_(step.truth, step.tracks)] += step.alike >= least
    rows, columns = assign(-together)
    return Identity(int(together[rows, columns].sum()), comparison.true_boxes, comparison.tracked_boxes)
