"""Going through the rows of a gallery for those that are likest to probes: the interface, and the exact way of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facecli.gallery.quantized import Codes, Wide, encoded_probes, slack
from facecli.inference.session import OnnxSession, open_session
from facecli.system.cores import available_cores

GRAPH = Path(__file__).with_name("nearest.onnx")
AT_ONCE = 64  # probes times blocks of rows; their products take 8 MB, and as much as float32


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The rows that are likest to each of P probes, as far as a scan can tell.

    rows: (P, K) int64. bound: (P,) the similarity that no other row exceeds; minus infinity where all rows are seen.
    """

    rows: NDArray[np.int64]
    bound: Wide


class Scan(Protocol):
    """A way through the rows of a gallery, templates or centroids. What it finds is compared again, in float64."""

    def likest(self, probes: Wide, count: int) -> Seen:
        """Return `count` rows that are likest to each probe, a row of (P, dim) of length 1 or 0, in no order."""


@dataclass(frozen=True, slots=True)
class CodeScan:
    """The exact scan: through all codes, with ONNX Runtime."""

    codes: Codes

    def likest(self, probes: Wide, count: int) -> Seen:
        """Return the rows that are likest to each probe; their bound holds for every other row."""
        starts = range(0, len(probes), AT_ONCE)
        parts = [_likest(probes[start : start + AT_ONCE], self.codes, count) for start in starts]
        return Seen(np.concatenate([part.rows for part in parts]), np.concatenate([part.bound for part in parts]))


def _likest(probes: Wide, codes: Codes, count: int) -> Seen:
    quantized, scales, errors = encoded_probes(probes)
    values, rows = [], []
    for start, blocks, offsets, row_scales in codes.blocks(most=max(1, AT_ONCE // max(len(probes), 1))):
        number, _, length = blocks.shape
        most = np.array([min(count, length)], np.int64)
        feeds: dict[str, NDArray[Any]] = {"probes": quantized, "codes": blocks, "offsets": offsets}
        found = _session().run(feeds | {"scales": row_scales, "count": most})
        firsts = start + length * np.arange(number)[:, None, None]
        values.append(np.concatenate(found["values"], axis=1))  # from (blocks, probes, most) to (probes, all of them)
        rows.append(np.concatenate(found["rows"] + firsts, axis=1))
    likeness, every = np.concatenate(values, axis=1), np.concatenate(rows, axis=1)
    if count >= len(codes.scales):
        return Seen(every, np.full(len(probes), -np.inf))
    order = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
    least = np.take_along_axis(likeness, order, axis=1).min(axis=1)  # a row that is not among a block's is below, too
    bound = least.astype(np.float64) * scales[:, 0] + slack(codes.error, errors)
    return Seen(np.take_along_axis(every, order, axis=1), bound)


@cache
def _session() -> OnnxSession:
    return open_session(GRAPH, threads=available_cores(), name="the graph of the search")
