"""Exact search: the distance of a face to the people of a gallery, to all of them or to the nearest.

A person's distance is the mean of two cosine distances: to the nearest template and to the centroid, the mean of the
person's templates at length 1: one odd template moves the second little, one good template is enough for the first.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from facecli.errors import GalleryError, UsageError
from facecli.gallery.quantized import Codes, encoded
from facecli.gallery.scan import CodeScan, Scan
from facecli.gallery.store.records import Templates
from facecli.types import FloatArray

Score = Literal["blend", "best", "centroid"]
SCORES = get_args(Score)
BLOCK = 8192  # templates that are taken in float64 at once


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The codes of templates and of centroids, which were made before the search.

    sums: (N,) uint32, checksums of the templates, which lie in a file.
    """

    templates: Codes
    centroids: Codes
    sums: NDArray[np.uint32] | None = None


class Index:
    """The templates of a gallery, ready to be searched: distances are float64, so that ties are ties.

    score: which distance a person has: "best" to the nearest template, "centroid", or "blend", the mean of both.
    prepared: the codes of these templates; None makes them when they are needed. Raises UsageError for another score.
    """

    def __init__(self, templates: Templates, score: Score = "blend", prepared: Prepared | None = None) -> None:
        if score not in SCORES:
            raise UsageError(f"there is no {{score}} {score!r:.40}", hint=f"use {', '.join(SCORES)}", about="score")
        self.score, self.revision = score, templates.revision
        self.rows = templates.embeddings
        owners = np.asarray(templates.people, np.int64)
        starts = np.flatnonzero(first_ones(owners))
        self.people = owners[starts]
        self._names = templates.names
        self.ignored = frozenset(templates.names[person] for person in templates.ignored)
        self.counts = np.diff(np.append(starts, len(self.rows)))
        self._starts = starts
        self._prepared = prepared
        self._scans: tuple[Scan, Scan] | None = None

    @property
    def scans(self) -> tuple[Scan, Scan]:
        """The scan of the templates, and that of the centroids."""
        if self._scans is None:
            self._scans = CodeScan(self.prepared.templates), CodeScan(self.prepared.centroids)
        return self._scans

    @property
    def prepared(self) -> Prepared:
        """The codes of templates and centroids."""
        if self._prepared is None:
            templates = encoded(len(self.rows), lambda first, last: unit(self.rows[first:last]))
            self._prepared = Prepared(templates, encoded(len(self.people), self.centroids))
        return self._prepared

    def scanned(self, scans: tuple[Scan, Scan]) -> Index:
        """Return an index of the same templates that these go through."""
        other = copy.copy(self)
        other._scans = scans
        return other

    @property
    def names(self) -> list[str]:
        """The names of all people, in the order of `people`."""
        return [self._names[person] for person in self.people.tolist()]

    def name(self, place: int) -> str:
        """Return the name of the person at a position in `people`."""
        return self._names[int(self.people[place])]

    def owners(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the person of each of these templates, as a position in `people`."""
        found: NDArray[np.int64] = np.searchsorted(self._starts, rows, side="right") - 1
        return found

    def distances(self, probes: FloatArray | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance of each probe, a row of (P, dim), to each person: (P, len(self.people)) float64."""
        found = np.zeros((len(probes), len(self.people)))
        for (first, last), distances in self._by_block(unit(probes)):
            found[:, first:last] = distances
        return found

    def without_own(self, chosen: Sequence[int]) -> NDArray[np.float64]:
        """Return the least distance of each chosen template, by its row, to another person than its own."""
        owners, rows = self.owners(np.asarray(chosen, np.int64)), unit(self.rows[list(chosen)])
        least = np.full(len(owners), np.inf)
        for (first, last), distances in self._by_block(rows):
            own = np.flatnonzero((owners >= first) & (owners < last))
            distances[own, owners[own] - first] = np.inf
            least = np.minimum(least, distances.min(axis=1, initial=np.inf))
        return least

    def exact(self, probe: NDArray[np.float64], people: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the distances of one probe, (dim,) of length 1, to people, ascending positions.

        They do not depend on which other people are asked for, to the last bit: products of matrices would.
        """
        templates, starts, middles = self._people(people)
        best = np.maximum.reduceat((templates * probe).sum(axis=1), starts)
        return 1.0 - self.mixed(best, (middles * probe).sum(axis=1))

    def mixed(self, best: NDArray[np.float64], centroid: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the similarity that a person's best template and centroid make by the score."""
        return {"best": best, "centroid": centroid}.get(self.score, (best + centroid) / 2.0)

    def _by_block(self, rows: NDArray[np.float64]) -> Iterator[tuple[tuple[int, int], NDArray[np.float64]]]:
        """Yield ranges of people with the distances of rows, of length 1, to them: (len(rows), people)."""
        for block in self._blocks():
            templates, starts, middles = self._people(np.arange(*block))
            best = np.maximum.reduceat(rows @ templates.T, starts, axis=1)
            yield block, 1.0 - self.mixed(best, rows @ middles.T)

    def centroids(self, first: int, last: int) -> NDArray[np.float64]:
        """Return the centroids of a range of people: (people, dim) of length 1 or 0."""
        ranges = [(max(start, first), min(end, last)) for start, end in self._blocks() if start < last and end > first]
        return np.concatenate([self._people(np.arange(*one))[2] for one in ranges])

    def _blocks(self) -> list[tuple[int, int]]:
        """Return ranges of people with some BLOCK templates each."""
        ends = np.cumsum(self.counts)
        firsts = np.searchsorted(ends, np.arange(0, len(self.rows), BLOCK), side="right")
        return list(itertools.pairwise([*firsts[first_ones(firsts)].tolist(), len(self.people)]))

    def _people(self, people: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """Return people's templates at length 1, the row at which each person's begin, and their centroids."""
        counts = self.counts[people]
        starts = np.cumsum(counts) - counts
        places = np.arange(counts.sum()) + np.repeat(self._starts[people] - starts, counts)
        values = self.rows[places]
        sums = None if self._prepared is None else self._prepared.sums
        if sums is not None and (checksums(values) != sums[places]).any():
            message = "a template in the cache of the gallery's search is damaged"
            raise GalleryError(message, hint="delete the file that ends in .index: it is made anew")
        templates = unit(values)
        return templates, starts, unit(np.add.reduceat(templates, starts) / counts[:, None])


def unit(rows: FloatArray | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows at length 1, float64; a row of zeros stays."""
    wide = np.asarray(rows, np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    rows_of_one: NDArray[np.float64] = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    return rows_of_one


def first_ones(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of ascending values (N,) are not the one before.

    np.unique does more, and its first call imports numpy.ma, which takes as long as several searches of a million.
    """
    first = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return first


def checksums(rows: FloatArray) -> NDArray[np.uint32]:
    """Return a checksum of each row, (N, dim) float32, which any change of one number changes.

    The numbers' bits are multiplied by odd factors, which have inverses modulo 2^32, and added up.
    """
    words = np.ascontiguousarray(rows).view(np.uint32)
    factors = np.arange(words.shape[1], dtype=np.uint32) * np.uint32(2654435762) + np.uint32(1)  # Knuth's, doubled: odd
    sums: NDArray[np.uint32] = (words * factors).sum(axis=1, dtype=np.uint32)
    return sums
