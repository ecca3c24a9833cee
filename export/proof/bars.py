"""How close an exported network must come to its source, by precision, and whether it does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facecli.contract import Task

Precision = Literal["fp32", "fp16", "int8"]


@dataclass(frozen=True, slots=True)
class Bars:
    """The least that is asked for.

    values: largest difference of any output as a part of the source's largest value, infinite where only the meaning
    counts; None for the part's own absolute tolerance. cosine: of each embedding with the source's. classes: the part
    of inputs whose arg max is the same. iou, landmarks: of each detected box with the source's, and in px. random:
    whether random inputs must reach cosine and classes too: of noise two classes may be as good as equal, and no
    calibration on faces has seen it.
    """

    values: float | None
    cosine: float
    classes: float
    iou: float
    landmarks: float
    random: bool = True


BARS: dict[Precision, Bars] = {
    "fp32": Bars(None, 0.99999, 1.0, 0.99, 0.5),
    "fp16": Bars(0.01, 0.9999, 1.0, 0.9, 2.0, random=False),
    "int8": Bars(math.inf, 0.98, 0.85, 0.75, 6.0, random=False),
}


def meaning_of(task: Task, got: NDArray[np.float32], wanted: NDArray[np.float32]) -> float | None:
    """The least cosine of (N, dim) embeddings, or the part of (N, classes) rows with the same arg max; else None."""
    if task == "embedding":
        a, b = got.astype(np.float64), wanted.astype(np.float64)
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        return float(((a * b).sum(1) / np.where(lengths > 0, lengths, 1)).min())
    if task == "classification":
        return float((got.argmax(1) == wanted.argmax(1)).mean())
    return None
