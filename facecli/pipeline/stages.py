"""TODO: facecli.pipeline.stages."""

from __future__ import annotations

from typing import Any

import numpy as np

from facecli.crops import cutting
from facecli.errors import ContractError
from facecli.pipeline.results import ImageResult
from facecli.types import FloatArray, UInt8Array

EPSILON = 1e-3  # how far rounding may bring a sum of probabilities away from 1


def _check_probabilities(name: str, rows: FloatArray) -> None:
    outside = (rows < 0).any() or (rows > 1 + 1e-6).any()
    if outside or (abs(rows.sum(1) - 1) > EPSILON).any():
        raise ContractError(f"the output of {name} must be probabilities: rows within [0, 1] that sum to 1")


def _crops(result: ImageResult, spec: Any) -> UInt8Array:
    if result.error is not None or result.image is None:
        return np.zeros((0, spec.height, spec.width, 3), np.uint8)
    if result.detections is None:
        return cutting.whole(result.image, spec)
    return cutting.cut(result.image, result.detections, spec)
