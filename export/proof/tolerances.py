"""The largest distances of an exported network from its source, by the precision of its file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facecli.contract import Precision, Task
    from facecli.inference.session import OnnxSession


@dataclass(frozen=True, slots=True)
class Tolerances:
    """The requirements for a file of one precision.

    values: the largest difference of any output, as a part of the source output's largest absolute value. Infinite if
    only the meaning of an output counts; None if the part's own absolute tolerance holds instead.
    cosine: the least cosine of each embedding with the source's.
    classes: the least part of inputs with the source's arg max.
    iou, landmarks: the least IoU of each detected box with the source's, and the largest shift of a landmark in px.
    random: True if random inputs must reach `cosine` and `classes` too. At a low precision they need not: of noise two
    classes may be as good as equal, and a calibration on faces has never seen noise.
    """

    values: float | None
    cosine: float
    classes: float
    iou: float
    landmarks: float
    random: bool = True


TOLERANCES: dict[Precision, Tolerances] = {
    "fp32": Tolerances(None, 0.99999, 1.0, 0.99, 0.5),
    "fp16": Tolerances(0.01, 0.9999, 1.0, 0.9, 2.0, random=False),
    "int8": Tolerances(math.inf, 0.98, 0.85, 0.75, 6.0, random=False),
}


def is_of_integers(session: OnnxSession) -> bool:
    """Return whether a file's metadata states that its network is of 8-bit integers."""
    return session.metadata.get("facecli.precision") == "int8"


def agreement(task: Task, exported: NDArray[np.float32], expected: NDArray[np.float32]) -> float | None:
    """Return how well an output agrees with the source's in its meaning, at most 1; None for the task "values".

    The least cosine of the rows of (N, dim) embeddings, or the part of (N, classes) rows with the same arg max.
    """
    if task == "embedding":
        a, b = exported.astype(np.float64), expected.astype(np.float64)
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        return float(((a * b).sum(1) / np.where(lengths > 0, lengths, 1)).min())
    if task == "classification":
        return float((exported.argmax(1) == expected.argmax(1)).mean())
    return None
