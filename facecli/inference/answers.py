"""Answers that no sound network gives: one for all inputs, none at all, or another one in other company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME = 1e-6  # relative difference of two numbers that are one but for rounding
BESIDE_LENGTH_ONE = 1e-3  # float32 rounding is less
# Part of an answer's length by which its neighbours in the batch may change it; kernels for other sizes round
# otherwise, and in a network with some int8 by a few of its levels.
NEIGHBOURS = 0.01


def are_equal(rows: NDArray[Any]) -> bool:
    """Return whether all answers, rows (N, C) to different inputs, are one, but for rounding.

    Value by value: probabilities near 0 still tell apart what a softmax has pressed to 1.
    """
    return len(rows) > 1 and bool(np.isclose(rows[1:], rows[0], rtol=SAME, atol=0).all())


def depends_on_neighbours(alone: NDArray[Any], together: NDArray[Any]) -> bool:
    """Return whether two answers to one input, (C,) each, in different batches, differ by more than rounding."""
    difference = np.linalg.norm(np.subtract(alone, together, dtype=np.float64))
    return bool(difference > NEIGHBOURS * max(1e-6, float(np.linalg.norm(alone))))


def length_fault(rows: NDArray[Any], *, normalized: bool) -> str | None:
    """Return why (N, dim) rows are no embeddings, in one clause; None if they are. N may be 0.

    normalized: whether every length must be 1. An embedding of length 0 has no direction to compare.
    """
    lengths = np.linalg.norm(rows, axis=1)
    if not lengths.all():
        return "an embedding has length 0"
    wrong = np.abs(lengths - 1) > BESIDE_LENGTH_ONE
    if normalized and wrong.any():
        return f"normalized embeddings have length 1, one has {lengths[wrong][0]:.4g}"
    return None
