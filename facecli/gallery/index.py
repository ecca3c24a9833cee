"""Exact search: the distance of a face to every person of a gallery.

A person's distance is the mean of two cosine distances: to the nearest template and to the centroid, the mean of the
person's templates at length 1: one odd template moves the second little, one good template is enough for the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from facecli.errors import UsageError
from facecli.gallery.store.records import Templates
from facecli.types import FloatArray

Score = Literal["blend", "best", "centroid"]
SCORES = get_args(Score)


class Index:
    """The templates of a gallery, ready to be searched: float64, so that ties are ties.

    score: which distance a person has: "best" to the nearest template, "centroid", or "blend", the mean of both.
    Raises UsageError for another score.
    """

    def __init__(self, templates: Templates, score: Score = "blend") -> None:
        if score not in SCORES:
            raise UsageError(f"there is no {{score}} {score!r:.40}", hint=f"use {', '.join(SCORES)}", about="score")
        self.score, self.revision = score, templates.revision
        self.rows = unit(templates.embeddings)
        self.people, self._starts = np.unique(np.array(templates.people, np.int64), return_index=True)
        self.names = [templates.names[person] for person in self.people.tolist()]
        self.ignored = frozenset(templates.names[person] for person in templates.ignored)
        self.counts = np.diff(np.append(self._starts, len(self.rows)))
        sums = np.add.reduceat(self.rows, self._starts) if len(self.rows) else self.rows
        self._centroids = unit(sums / self.counts[:, None])

    def distances(self, probes: FloatArray | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance of each probe, a row of (P, dim), to each person: (P, len(self.people)) float64."""
        if not len(self.people):
            return np.zeros((len(probes), 0))
        rows = unit(probes)
        best = 1.0 - np.maximum.reduceat(rows @ self.rows.T, self._starts, axis=1)
        if self.score == "best":
            return np.asarray(best)
        centroid = 1.0 - rows @ self._centroids.T
        return np.asarray(centroid if self.score == "centroid" else (best + centroid) / 2.0)

    def without_own(self, chosen: Sequence[int]) -> NDArray[np.float64]:
        """Return the least distance of each chosen template, by its row, to another person than its own."""
        owners = np.repeat(np.arange(len(self.people)), self.counts)[list(chosen)]
        distances = self.distances(self.rows[list(chosen)])
        distances[np.arange(len(owners)), owners] = np.inf
        return np.asarray(distances.min(axis=1, initial=np.inf), np.float64)


def unit(rows: FloatArray | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows at length 1, float64; a row of zeros stays."""
    wide = np.asarray(rows, np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    rows_of_one: NDArray[np.float64] = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    return rows_of_one
