"""Rows of length 1 as 8-bit codes, each row with a scale of its own, and how far products of codes can be off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray

BLOCK = 32_768  # rows that lie together, component by component
MOST = 127  # the largest code of a row
PROBE_MOST, PROBE_ZERO = 63, 64  # of a probe's codes; export/graph/nearest.py says why they have 7 bits
ROUNDING = 1e-6  # of float32 scales and products of them, generously

Wide = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """The codes of N rows.

    values: (N * dim,) int8: blocks of BLOCK rows, each (dim, rows of the block), as the graph reads them. offsets: (N,)
    int32: PROBE_ZERO times the sum of a row's codes. scales: (N,) float32: a row is about its codes times its scale.
    error: the largest length of the difference, over all rows.
    """

    values: NDArray[np.int8]
    offsets: NDArray[np.int32]
    scales: FloatArray
    error: float

    def blocks(self, most: int) -> Iterable[tuple[int, NDArray[np.int8], NDArray[np.int32], FloatArray]]:
        """Yield B <= most blocks at once: their first row, codes (B, dim, rows), offsets and scales (B, 1, rows)."""
        count, start = len(self.scales), 0
        dim = len(self.values) // max(count, 1)
        while start < count:
            rows = min(BLOCK, count - start)
            blocks = min(most, (count - start) // rows)
            end = start + blocks * rows
            codes = self.values[start * dim : end * dim].reshape(blocks, dim, rows)
            offsets = self.offsets[start:end].reshape(blocks, 1, rows)
            yield start, codes, offsets, self.scales[start:end].reshape(blocks, 1, rows)
            start = end


def encoded(count: int, rows: Callable[[int, int], Wide]) -> Codes:
    """Return the codes of `count` rows of length 1 or 0. rows: from the first up to a last one, (N, dim)."""
    values, offsets, scales, error = [np.zeros(0, np.int8)], [np.zeros(0, np.int32)], [np.zeros(0, np.float32)], 0.0
    for start in range(0, count, BLOCK):
        block = rows(start, min(start + BLOCK, count))
        own = (np.abs(block).max(axis=1, initial=0.0) / MOST).astype(np.float32)
        wide = own.astype(np.float64)[:, None]
        codes = np.rint(np.divide(block, wide, out=np.zeros_like(block), where=wide > 0)).clip(-MOST, MOST)
        error = max(error, float(np.sqrt(np.square(block - codes * wide).sum(axis=1)).max()))
        values.append(codes.T.astype(np.int8).ravel())
        offsets.append((PROBE_ZERO * codes.sum(axis=1)).astype(np.int32))
        scales.append(own)
    return Codes(np.concatenate(values), np.concatenate(offsets), np.concatenate(scales), error)


def encoded_probes(probes: Wide) -> tuple[NDArray[np.uint8], Wide, Wide]:
    """Return codes (P, dim), scales (P, 1) and the lengths (P,) of their differences from probes of length 1 or 0."""
    scales = np.abs(probes).max(axis=1, keepdims=True, initial=0.0) / PROBE_MOST
    codes = np.rint(np.divide(probes, scales, out=np.zeros_like(probes), where=scales > 0))
    errors = np.sqrt(np.square(probes - codes * scales).sum(axis=1))
    return (codes + PROBE_ZERO).astype(np.uint8), scales, errors


def slack(row_error: float, probe_errors: Wide) -> Wide:
    """Return how far the product of codes can be from the similarity of a probe and any row: (P,).

    With row r + e and probe p + f, where r and p are what the codes stand for and the row has length 1, the difference
    is e (p + f) + r f, at most |e| + (1 + |e|) |f| by Cauchy and Schwarz.
    """
    return row_error + (1.0 + row_error) * probe_errors + ROUNDING
