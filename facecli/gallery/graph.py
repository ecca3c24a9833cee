"""Going through a gallery by graphs of neighbours (HNSW) with faiss: a few hundred rows are looked at, not all.

Malkov and Yashunin, Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World
graphs, 2016. What is found is compared in full as after every scan; somebody may be missed, a stranger's neighbours
sooner than an enrolled person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecli.errors import UsageError
from facecli.gallery.scan import Seen
from facecli.system.cores import available_cores

Wide = NDArray[np.float64]
LINKS = 16  # of a row to others, twice as many on the ground floor
BUILDING, LOOKING = 128, 256  # rows that are kept in view while a graph is built, and while it is searched
BATCH = 16_384  # rows that are added at once
HALF = 2.0**-10  # of the similarity of rows that are kept as float16, generously


@dataclass(frozen=True, slots=True)
class GraphScan:
    """The scan by a graph. Its bound is that of the rows that the graph leads to, not of every other row."""

    graph: Any

    def likest(self, probes: Wide, count: int) -> Seen:
        """Return rows that are likest to each probe, a row of (P, dim) of length 1 or 0, as the graph leads to them."""
        if not len(probes):
            return Seen(np.zeros((0, count), np.int64), np.zeros(0))
        count = min(count, self.graph.ntotal)
        faiss = _faiss(threads=min(available_cores(), max(1, len(probes) // 8)))
        looking = faiss.SearchParametersHNSW(efSearch=max(LOOKING, 2 * count))
        likeness, rows = self.graph.search(probes.astype(np.float32), count, params=looking)
        reached = (rows >= 0).all(axis=1)  # else nothing is known about those that the graph does not lead to
        bound = np.where(reached, likeness.min(axis=1).astype(np.float64) + HALF, np.inf)
        return Seen(np.where(rows < 0, rows[:, :1].clip(0), rows), bound)


def built(count: int, dim: int, rows: Callable[[int, int], Wide]) -> GraphScan:
    """Return the graph of `count` rows of length 1 or 0. rows: from the first up to a last one, (N, dim).

    Raises UsageError if faiss is not installed.
    """
    faiss = _faiss(threads=available_cores() if count > BATCH else 1)  # several wait for each other more than they do
    kind = faiss.ScalarQuantizer.QT_fp16
    graph = faiss.IndexHNSWSQ(dim, kind, LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = BUILDING
    graph.train(np.zeros((1, dim), np.float32))  # float16 needs none, and faiss asks for it
    for start in range(0, count, BATCH):
        graph.add(rows(start, min(start + BATCH, count)).astype(np.float32))
    return GraphScan(graph)


def packed(scan: GraphScan) -> bytes:
    """Return a graph as bytes."""
    content: NDArray[np.uint8] = _faiss().serialize_index(scan.graph)
    return content.tobytes()


def unpacked(content: memoryview, count: int, dim: int) -> GraphScan:
    """Return the graph of bytes that `packed` made. Raises ValueError for one of another size."""
    graph = _faiss().deserialize_index(np.frombuffer(content, np.uint8))
    if (graph.ntotal, graph.d) != (count, dim):
        raise ValueError(f"{graph.ntotal} rows of {graph.d}")
    return GraphScan(graph)


def require() -> None:
    """Raise UsageError if faiss is not installed."""
    _faiss()


def _faiss(threads: int = 1) -> Any:
    """Return faiss, which computes with so many threads."""
    try:
        import faiss
    except ImportError as error:
        message = "searching by faiss needs faiss"
        raise UsageError(message, hint='pip install "facecli[faiss]"', about="search") from error
    faiss.omp_set_num_threads(threads)
    return faiss
