"""Average linkage of unit vectors, exact, without a matrix of all distances.

Two clusters are as far apart as their faces are on average (UPGMA: R. Sokal and C. Michener, "A statistical method for
evaluating systematic relationships", 1958), and the two that are nearest become one as long as that distance is within
the threshold. The mean cosine distance of two clusters is 1 - the dot product of their mean vectors, so that a cluster
is one row however large it is. No merge brings a cluster nearer to a third than the nearer of its parts was; pairs that
are each other's nearest therefore may be merged all at once, in rounds, with the result of one after the other (J.-P.
Benzecri 1982; B. Sumengen et al., "Scaling hierarchical agglomerative clustering to billion-sized datasets", 2021), and
a cluster that has nobody within the threshold never will have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray

BLOCK = 512  # clusters that are compared with all others at once: 40 MB of similarities for 20,000

Labels = NDArray[np.int64]


def average_linkage(
    rows: FloatArray | NDArray[np.float64],
    threshold: float,
    together: Sequence[Sequence[int]] = (),
    apart: Sequence[Sequence[int]] = (),
) -> Labels:
    """Return the cluster of each row, (N,): the number of the cluster's first row.

    rows: (N, dim), of length 1. threshold: largest mean cosine distance of two clusters that become one. together: sets
    of rows that are one cluster from the beginning, whatever their distances; no row is in two of them. apart: sets of
    rows of which no two ever share a cluster, unless `together` has put them there. The order of rows decides nothing
    but between equal distances.
    """
    state = _Clusters(rows, together, apart)
    stale = state.active
    while len(state.active) > 1:
        state.find_nearest(stale)
        state.retire(threshold)
        pairs = state.mutual()
        if not len(pairs) and len(state.active) > 1:
            # Equal distances, of which rounding has moved one: the nearest pair of all is mutual once all are known.
            state.find_nearest(state.active)
            pairs = state.mutual()
        if not len(pairs):
            break
        stale = state.merge(pairs)
    return state.labels


@dataclass(slots=True)
class _Groups:
    """The sets of faces of which no two share a cluster, and the sets that each cluster has a face in."""

    members: list[Labels]
    of: dict[int, set[int]] = field(default_factory=dict)

    @classmethod
    def made(cls, apart: Sequence[Sequence[int]], labels: Labels) -> _Groups:
        groups = cls([np.array(sorted(set(group)), np.int64) for group in apart])
        for number, members in enumerate(groups.members):
            for cluster in labels[members].tolist():
                groups.of.setdefault(cluster, set()).add(number)
        return groups

    def merge(self, kept: int, gone: int) -> None:
        if gone in self.of:
            self.of.setdefault(kept, set()).update(self.of.pop(gone))

    def faces_beside(self, cluster: int) -> Iterable[Labels]:
        """Return the faces that this cluster's faces are kept from, its own among them."""
        return (self.members[number] for number in sorted(self.of.get(cluster, ())))


class _Clusters:
    """The clusters as they are: `active` ones, by their first rows, may still merge."""

    def __init__(
        self,
        rows: FloatArray | NDArray[np.float64],
        together: Sequence[Sequence[int]],
        apart: Sequence[Sequence[int]],
    ) -> None:
        count = len(rows)
        self.labels: Labels = np.arange(count, dtype=np.int64)
        for group in together:
            self.labels[list(group)] = min(group, default=0)
        self.groups = _Groups.made(apart, self.labels)
        self.sizes = np.bincount(self.labels, minlength=count)
        self.means = np.zeros((count, rows.shape[1] if rows.ndim == 2 else 0))
        np.add.at(self.means, self.labels, np.asarray(rows, np.float64))
        self.means /= np.maximum(self.sizes, 1)[:, None]
        self.active: Labels = np.flatnonzero(self.sizes)
        self.nearest: Labels = np.full(count, -1, np.int64)
        self.distances = np.full(count, np.inf)
        # Twice what float32 loses in a product of two vectors of at most this length: who is nearest among clusters
        # that are nearer to each other than that is decided in float64.
        self.doubt = 2 * (self.means.shape[1] + 2) * 2.0**-23

    def find_nearest(self, wanted: Labels) -> None:
        """Find the nearest active cluster of each of these active ones.

        Of equally near ones it is the one whose number differs in the lowest bits (the least exclusive or). That is the
        same from both sides and pairs off most of many copies at once, where "the first" would merge one a round.
        """
        others = self.active
        narrow = self.means[others].astype(np.float32)
        places = np.full(len(self.labels), -1, np.int64)
        places[others] = np.arange(len(others))
        for start in range(0, len(wanted), BLOCK):
            block = wanted[start : start + BLOCK]
            similarities = narrow[places[block]] @ narrow.T
            similarities[np.arange(len(block)), places[block]] = -np.inf
            for row, cluster in enumerate(block.tolist()):
                for faces in self.groups.faces_beside(cluster):
                    beside = places[self.labels[faces]]
                    similarities[row, beside[beside >= 0]] = -np.inf
            self._decide(block, others, similarities)

    def retire(self, threshold: float) -> None:
        """Let the clusters be that have nobody within the threshold."""
        self.active = self.active[self.distances[self.active] <= threshold]

    def mutual(self) -> NDArray[np.int64]:
        """Return the pairs of active clusters that are each other's nearest, (P, 2), the first rows ascending."""
        first = self.active
        second = self.nearest[first]
        pairs = (second > first) & (self.nearest[second] == first)
        return np.column_stack((first[pairs], second[pairs]))

    def merge(self, pairs: NDArray[np.int64]) -> Labels:
        """Make one cluster of each pair; return the active clusters whose nearest is no longer known."""
        kept, gone = pairs[:, 0], pairs[:, 1]
        weights = self.sizes[kept] + self.sizes[gone]
        sums = self.means[kept] * self.sizes[kept][:, None] + self.means[gone] * self.sizes[gone][:, None]
        self.means[kept], self.sizes[kept] = sums / weights[:, None], weights
        names = np.arange(len(self.labels))
        names[gone] = kept
        self.labels = names[self.labels]
        for one, other in pairs.tolist():
            self.groups.merge(one, other)
        changed = np.zeros(len(self.labels), bool)
        changed[pairs] = True
        self.active = self.active[~np.isin(self.active, gone)]
        return self.active[changed[self.active] | changed[self.nearest[self.active]]]

    def _decide(self, block: Labels, others: Labels, similarities: FloatArray) -> None:
        """Keep the nearest of each cluster of a block. similarities: (B, A), in which -inf are not allowed."""
        best = similarities.max(axis=1)
        for row, cluster in enumerate(block.tolist()):
            if best[row] == -np.inf:
                self.nearest[cluster], self.distances[cluster] = -1, np.inf
                continue
            near = others[np.flatnonzero(similarities[row] >= best[row] - self.doubt)]
            # Products are added in the order of the vectors, so that the distance is the same from both sides.
            distances = 1.0 - (self.means[near] * self.means[cluster]).sum(axis=1)
            least = distances.min()
            equal = near[distances == least]
            self.nearest[cluster], self.distances[cluster] = equal[(equal ^ cluster).argmin()], least


def clusters_of(labels: Labels) -> Iterator[list[int]]:
    """Yield the rows of each cluster, ascending; the clusters in the order of their first rows."""
    order = np.argsort(labels, kind="stable")
    _, starts = np.unique(labels[order], return_index=True)
    for rows in np.split(order, starts[1:]) if len(labels) else ():
        yield rows.tolist()
