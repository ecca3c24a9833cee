"""Tracklets joined by their faces: average linkage, nearest pair first, never two that are long seen at one time.

A tracker that goes by motion loses a face behind a pillar; its face says that it is the same one. Nobody is twice in a
frame, which needs no threshold; but where two people meet, a tracklet may begin or end on the other one's face, so that
tracklets of one person overlap for a moment. Each tracklet is the mean of its best faces, in which what is wrong with a
single one counts less. Of a face that is found again soon, near to where one was lost, more is forgiven: both are half
hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray

Distances = Callable[[FloatArray, FloatArray], NDArray[np.float64]]  # (N, D), (M, D) -> (N, M)

CLEARLY = 1.25  # times the threshold; few faces of one person are so far apart, and few of two within its inverse
MOMENT = 0.5  # s that two tracklets of one person may overlap, and no more than half of the shorter one
SOON = 2.0  # s without a face, after which it may come out anywhere
NEAR, HASTE = 1.0, 4.0  # face widths that it may be off by, and that it moves in each of those seconds
GROWN = 1.5  # times its side


@dataclass(frozen=True, slots=True)
class Likeness:
    """A rule for when two faces are one person's. threshold: the largest distance that is."""

    distances: Distances
    threshold: float

    def differ(self, one: FloatArray, other: FloatArray) -> bool:
        """Return whether two embeddings (D,) are clearly of two people."""
        return not float(self.distances(one[None], other[None])[0, 0]) <= CLEARLY * self.threshold


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A face's place. time: seconds. bbox: (4,) xyxy px."""

    time: float
    bbox: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A tracklet to join.

    first, last: the frames of its life. embedding: (D,) float32, the mean of `looks` faces. begin, end: where it was
    first and last seen, None if that is not known.
    """

    number: int
    first: int
    last: int
    embedding: FloatArray
    looks: int = 1
    begin: Place | None = None
    end: Place | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Tracklet `number` is the same person as the earlier one `into`. distance: the mean one between their faces."""

    number: int
    into: int
    distance: float


def joins(members: Sequence[Member], likeness: Likeness) -> list[Join]:
    """Return which tracklets are the same people, as joins of the others into each person's first; nearest first.

    likeness: whose threshold is the largest mean distance of two groups that are one person; CLEARLY times that between
    tracklets of which one begins soon after the other's end, and near to it, and a CLEARLY-th of it between tracklets
    that overlap for a moment.
    """
    if len(members) < 2:
        return []
    groups = [[row] for row in range(len(members))]
    every = np.stack([one.embedding for one in members])
    apart = np.array(likeness.distances(every, every), np.float64)
    relative = apart / likeness.threshold
    together, moment = _together(members)
    apart[together & ~(moment & (relative <= 1 / CLEARLY))] = np.inf
    relative[np.isinf(apart)] = np.inf
    for row, found_again in enumerate(_found_again(members)):
        relative[row, found_again] /= CLEARLY
        relative[found_again, row] /= CLEARLY
    weights = np.array([one.looks for one in members], float)
    found: list[Join] = []
    while True:
        nearest = int(relative.argmin())
        one, other = sorted(divmod(nearest, len(members)))
        distance = float(apart[one, other])
        if not relative[one, other] <= 1:
            return [Join(one.number, _end(found, one.into), one.distance) for one in found]
        first, second = sorted((one, other), key=lambda row: min(members[i].first for i in groups[row]))
        found.append(Join(_number(members, groups[second]), _number(members, groups[first]), distance))
        groups[first] += groups[second]
        # Infinity, of two that were seen at one time, stays.
        share = weights[[first, second]] / weights[[first, second]].sum()
        for pairs in (apart, relative):
            pairs[first] = share[0] * pairs[first] + share[1] * pairs[second]
            pairs[:, first] = pairs[first]
            pairs[second] = pairs[:, second] = np.inf
            pairs[first, first] = np.inf
        weights[first] += weights[second]


def _together(members: Sequence[Member]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which tracklets are seen at one time, and of which of these that is only a moment: two (N, N)."""
    first, last = (np.array(frames) for frames in zip(*((one.first, one.last) for one in members), strict=True))
    shared = np.minimum(last[:, None], last) - np.maximum(first[:, None], first) + 1
    length = last - first + 1
    times = [(np.nan, np.nan) if not (one.begin and one.end) else (one.begin.time, one.end.time) for one in members]
    begin, end = np.array(times).T
    seconds = np.minimum(end[:, None], end) - np.maximum(begin[:, None], begin)
    return shared > 0, (seconds <= MOMENT) & (2 * shared <= np.minimum(length[:, None], length))


def _found_again(members: Sequence[Member]) -> Iterator[NDArray[np.bool_]]:
    """Yield for each tracklet which others (N,) begin so soon after its end, and so near, that they may be its face."""
    unknown = Place(np.nan, np.full(4, np.nan, np.float32))
    begins, ends = [one.begin or unknown for one in members], [one.end or unknown for one in members]
    times = np.array([place.time for place in begins])
    middles, lengths = _middles(begins)
    for end, middle, length in zip(ends, *_middles(ends), strict=True):
        pause = times - end.time
        near = np.hypot(*(middles - middle).T) <= (NEAR + HASTE * pause) * (lengths + length) / 2
        alike = np.maximum(lengths, length) <= GROWN * np.minimum(lengths, length)
        yield (pause > 0) & (pause <= SOON) & near & alike


def _middles(places: Sequence[Place]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middles (N, 2) of boxes, and the roots of their areas (N,), px."""
    boxes = np.array([place.bbox for place in places], np.float64)
    return (boxes[:, :2] + boxes[:, 2:]) / 2, np.sqrt((boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1))


def _end(found: Sequence[Join], number: int) -> int:
    """Return the tracklet at the end of a chain of joins."""
    into = {one.number: one.into for one in found}
    while number in into:
        number = into[number]
    return number


def _number(members: Sequence[Member], group: Sequence[int]) -> int:
    """Return the number of a group's first tracklet."""
    return min((members[row] for row in group), key=lambda one: (one.first, one.number)).number
