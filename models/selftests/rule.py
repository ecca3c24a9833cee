"""The rule of a self-test: how its fixed input is made, and how far two answers to it are apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from facecli.contract import Session
    from facecli.types import FloatArray

Answer = Mapping[str, list[float]]  # output name -> its first values

# Other CPUs differ by 1e-6, GPUs that round to TF32 by some 1e-4; a kernel that is wrong differs by far more.
TOLERANCE = 1e-3
LEADING = 16  # values of each output that are recorded
_KNUTH = 2654435761  # the multiplier of multiplicative hashing (The Art of Computer Programming 6.4)


@dataclass(frozen=True, slots=True)
class Rule:
    """The recipe of the input named `input`: (pattern of 0..255 - mean) / std, of shape `shape`."""

    input: str
    shape: tuple[int, ...]
    mean: float
    std: float


def pattern(rule: Rule, shift: float = 0.0) -> FloatArray:
    """Return the input of a rule, float32. shift: added to each level before the normalisation, in levels of 0..255.

    Each index is hashed to 0..255 in integers, so that no version of a random generator matters.
    """
    index = np.arange(np.prod(rule.shape), dtype=np.uint64)
    pixels = (index * np.uint64(_KNUTH) >> np.uint64(13)) % np.uint64(256)
    return ((pixels.astype(np.float64) + shift - rule.mean) / rule.std).astype(np.float32).reshape(rule.shape)


def leading(session: Session, rule: Rule, shift: float = 0.0) -> dict[str, list[float]]:
    """Return the first LEADING values of each output of numbers, in memory order, for the rule's input.

    shift: see `pattern`.
    """
    outputs = session.run({rule.input: pattern(rule, shift)})
    numbers = {name: output for name, output in outputs.items() if np.issubdtype(output.dtype, np.number)}
    return {name: [float(value) for value in output.ravel()[:LEADING]] for name, output in numbers.items()}


def distance(answer: Answer, expected: Answer) -> float:
    """Return the largest difference of two answers, relative to an output's largest value where that is above 1.

    inf if an output that is expected is missing, has another length or is not finite.
    """
    if any(len(answer.get(name, ())) != len(values) for name, values in expected.items()):
        return float("inf")
    # NumPy's max, because Python's drops a NaN.
    largest = float(np.max([_difference(answer[name], values) for name, values in expected.items()]))
    return largest if np.isfinite(largest) else float("inf")


def _difference(values: list[float], expected: list[float]) -> float:
    return float(np.abs(np.subtract(values, expected)).max() / max(1.0, np.abs(expected).max()))
