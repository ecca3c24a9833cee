"""The people who are nearest to a face, exactly, without comparing it with everybody in full.

All templates and all centroids are gone through for those that are likest to the face. Whoever has neither among them
is at most as like as the last ones of both, so the search ends when enough people are nearer than that (the threshold
algorithm of Fagin, Lotem and Naor, 2001); else it looks at more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facecli.gallery.index import Index, first_ones, unit
from facecli.types import FloatArray

FIRST, GROWTH = 64, 8  # rows that are looked at, and how many times as many the next time
Positions = NDArray[np.int64]
Wide = NDArray[np.float64]


def nearest(probes: FloatArray | Wide, index: Index, top: int) -> list[tuple[list[int], list[float]]]:
    """Return for each probe, a row of (P, dim), the `top` nearest people, or all if they are fewer.

    They are positions in `index.people` with distances, nearest first; people at one distance are in their order.
    """
    rows, most = unit(probes), min(top, len(index.people))
    answers: dict[int, tuple[list[int], list[float]]] = {}
    waiting, count = list(range(len(rows))), FIRST
    while waiting:
        if 4 * count > len(index.rows):
            count = len(index.rows)
        for probe, (people, bound) in zip(waiting, _candidates(index, rows[waiting], count), strict=True):
            distances = index.exact(rows[probe], people)
            order = np.argsort(distances, kind="stable")[:most]
            if len(people) == len(index.people) or (len(order) == most and distances[order[-1]] < 1.0 - bound):
                answers[probe] = people[order].tolist(), distances[order].tolist()
        waiting = [probe for probe in waiting if probe not in answers]
        count *= GROWTH
    return [answers[probe] for probe in range(len(rows))]


def _candidates(index: Index, rows: Wide, count: int) -> list[tuple[Positions, float]]:
    """Return for each row the people who are worth a look, and the similarity that nobody else exceeds."""
    if count >= len(index.rows):
        return [(np.arange(len(index.people)), -np.inf)] * len(rows)
    by_template, by_centroid = index.scans
    templates = by_template.likest(rows, count)
    middles = by_centroid.likest(rows, count)
    bounds = index.mixed(templates.bound, middles.bound).tolist()
    owners = index.owners(templates.rows)
    found = np.sort(np.concatenate([owners, middles.rows], axis=1), axis=1)
    return [(people[first_ones(people)], bound) for people, bound in zip(found, bounds, strict=True)]
