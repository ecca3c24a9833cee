"""The embedded models' self-test: a fixed input, and the values that its outputs begin with.

A hash tells whether the file is the one that was shipped; this tells whether it computes here what it computed there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from facecli.contract import Session
    from facecli.types import FloatArray


# Other CPUs differ by 1e-6, GPUs that round to TF32 by some 1e-4; a kernel that is wrong differs by far more.
TOLERANCE = 1e-3
LEADING = 16
_KNUTH = 2654435761  # the multiplier of multiplicative hashing (The Art of Computer Programming 6.4)


@dataclass(frozen=True, slots=True)
class Rule:
    """How the fixed input is made: (pattern of 0..255 - mean) / std in `shape`, fed as `input`."""

    input: str
    shape: tuple[int, ...]
    mean: float
    std: float


def pattern(rule: Rule, more: float = 0.0) -> FloatArray:
    """The input of a rule, float32: each index hashed to 0..255 in integers, so that no random generator matters.

    more: added to each, of 255.
    """
    index = np.arange(np.prod(rule.shape), dtype=np.uint64)
    pixels = (index * np.uint64(_KNUTH) >> np.uint64(13)) % np.uint64(256)
    return ((pixels.astype(np.float64) + more - rule.mean) / rule.std).astype(np.float32).reshape(rule.shape)


def leading(session: Session, rule: Rule, more: float = 0.0) -> dict[str, list[float]]:
    """The first values of each output, in memory order, for the rule's input; more: as of `pattern`."""
    outputs = session.run({rule.input: pattern(rule, more)})
    return {name: [float(value) for value in output.ravel()[:LEADING]] for name, output in outputs.items()}


def distance(got: Mapping[str, list[float]], wanted: Mapping[str, list[float]]) -> float:
    """The largest difference, in parts of the output's largest value where that is above 1.

    inf if an output that is wanted is missing, has another length or is not finite.
    """
    if any(len(got.get(name, ())) != len(values) for name, values in wanted.items()):
        return float("inf")
    found = float(np.max([_apart(got[name], values) for name, values in wanted.items()]))  # Python's max drops a NaN
    return found if np.isfinite(found) else float("inf")


def _apart(got: list[float], wanted: list[float]) -> float:
    return float(np.abs(np.subtract(got, wanted)).max() / max(1.0, np.abs(wanted).max()))
