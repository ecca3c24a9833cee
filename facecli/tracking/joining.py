"""Tracklets joined by their faces: average linkage, nearest pair first, never two that are seen at one time.

A tracker that goes by motion loses a face behind a pillar; its face says that it is the same one. Nobody is twice in a
frame, which needs no threshold. Each tracklet is the mean of its best faces, in which what is wrong with a single one
counts less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray

Distances = Callable[[FloatArray, FloatArray], NDArray[np.float64]]  # (N, D), (M, D) -> (N, M)

CLEARLY = 1.25  # times the threshold; few faces of one person are so far apart


@dataclass(frozen=True, slots=True)
class Likeness:
    """A rule for when two faces are one person's. threshold: the largest distance that is."""

    distances: Distances
    threshold: float

    def differ(self, one: FloatArray, other: FloatArray) -> bool:
        """Return whether two embeddings (D,) are clearly of two people."""
        return not float(self.distances(one[None], other[None])[0, 0]) <= CLEARLY * self.threshold


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A tracklet to join. first, last: the frames of its life. embedding: (D,) float32, the mean of `looks` faces."""

    number: int
    first: int
    last: int
    embedding: FloatArray
    looks: int = 1


@dataclass(frozen=True, slots=True)
class Join:
    """Tracklet `number` is the same person as the earlier one `into`. distance: the mean one between their faces."""

    number: int
    into: int
    distance: float


def joins(members: Sequence[Member], likeness: Likeness) -> list[Join]:
    """Return which tracklets are the same people, as joins of the others into each person's first; nearest first.

    likeness: whose threshold is the largest mean distance of two groups that are one person.
    """
    if len(members) < 2:
        return []
    groups = [[row] for row in range(len(members))]
    every = np.stack([one.embedding for one in members])
    apart = np.array(likeness.distances(every, every), np.float64)
    spans = np.array([(one.first, one.last) for one in members])
    together = (spans[:, None, 0] <= spans[None, :, 1]) & (spans[None, :, 0] <= spans[:, None, 1])
    apart[together] = np.inf
    weights = np.array([one.looks for one in members], float)
    found: list[Join] = []
    while True:
        nearest = int(apart.argmin())
        one, other = sorted(divmod(nearest, len(members)))
        distance = float(apart[one, other])
        if not distance <= likeness.threshold:
            return [Join(one.number, _end(found, one.into), one.distance) for one in found]
        first, second = sorted((one, other), key=lambda row: min(members[i].first for i in groups[row]))
        found.append(Join(_number(members, groups[second]), _number(members, groups[first]), distance))
        groups[first] += groups[second]
        # Infinity, of two that were seen at one time, stays.
        share = weights[[first, second]] / weights[[first, second]].sum()
        apart[first] = share[0] * apart[first] + share[1] * apart[second]
        apart[:, first] = apart[first]
        apart[second] = apart[:, second] = np.inf
        apart[first, first] = np.inf
        weights[first] += weights[second]


def _end(found: Sequence[Join], number: int) -> int:
    """Return the tracklet at the end of a chain of joins."""
    into = {one.number: one.into for one in found}
    while number in into:
        number = into[number]
    return number


def _number(members: Sequence[Member], group: Sequence[int]) -> int:
    """Return the number of a group's first tracklet."""
    return min((members[row] for row in group), key=lambda one: (one.first, one.number)).number
