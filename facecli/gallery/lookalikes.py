"""People who are near to each other: relatives, twins, and one person under two names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facecli.gallery.index import Index

BLOCK = 64  # people who are compared with all others at once


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people. distance: the least of the distances of one's templates to the other person."""

    first: str
    second: str
    distance: float


def lookalikes(index: Index, top: int) -> list[Pair]:
    """Return the `top` pairs of people who are nearest to each other, nearest first."""
    ends = np.cumsum(index.counts)
    nearest: dict[tuple[int, int], float] = {}
    for start in range(0, len(index.people), BLOCK):
        block = range(start, min(start + BLOCK, len(index.people)))
        first = ends[block[0]] - index.counts[block[0]]
        distances = index.distances(index.rows[first : ends[block[-1]]])
        best = np.minimum.reduceat(distances, (ends[block] - index.counts[block]) - first, axis=0)
        best[np.arange(len(block)), list(block)] = np.inf
        for place in np.argsort(best, axis=None, kind="stable")[: 2 * top].tolist():  # a pair may be found from both
            one, other = start + place // best.shape[1], place % best.shape[1]
            pair = min(one, other), max(one, other)
            nearest[pair] = min(nearest.get(pair, np.inf), float(best.flat[place]))
        nearest = dict(sorted(nearest.items(), key=lambda item: (item[1], item[0]))[: 2 * top])
    found = [Pair(index.name(one), index.name(other), value) for (one, other), value in nearest.items()]
    return [pair for pair in found if np.isfinite(pair.distance)][:top]
