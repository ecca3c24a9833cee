"""The rules for the arrays that recognizers and attribute models return; facecli and the conformance kit share them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from facecli.contract import AttributePlugin
from facecli.errors import ContractError
from facecli.types import FloatArray, require_array

# What float32 rounding may cost: a probability may be this much above 1, and a row may sum to this much beside 1.
ABOVE_ONE, BESIDE_ONE = 1e-6, 1e-3


def rows_of(what: str, output: object, count: int, columns: int) -> FloatArray:
    """Return a model's output, which must be a finite (count, columns) float32 array.

    what: its name in the message. Raises ContractError for any other output.
    """
    require_array(what, output, (count, columns), np.float32)
    assert isinstance(output, np.ndarray)
    if not np.isfinite(output).all():
        raise ContractError(f"{what} must be finite, got NaN or infinity")
    return output


def head_of(plugin: AttributePlugin, output: object) -> object:
    """Return the part of a network's output that answers for a plugin with a `head`.

    Raises ContractError for an output without that part.
    """
    if not isinstance(output, Mapping) or plugin.head not in output:
        got = ", ".join(map(str, output)) if isinstance(output, Mapping) else type(output).__name__
        raise ContractError(f"the output of {plugin.name} must have the head {plugin.head!r}, got {got[:80]}")
    return output[plugin.head]


def probability_fault(rows: FloatArray) -> str | None:
    """Return why (N, C) float32 rows are no probabilities, in one clause; None if they are. N may be 0."""
    if ((rows < 0) | (rows > 1 + ABOVE_ONE)).any():
        return f"probabilities must lie in [0, 1], got {rows.min():.4g} to {rows.max():.4g}"
    sums = rows.sum(1)
    wrong = np.abs(sums - 1) > BESIDE_ONE
    return f"the probabilities of a row must sum to 1, got {sums[wrong][0]:.4g}" if wrong.any() else None
