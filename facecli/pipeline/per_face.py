"""Crops of the faces of a batch, and each picture's rows of a model's output for these crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facecli.contract import CropSpec, RecognizerPlugin
from facecli.crops import cutting
from facecli.errors import ContractError
from facecli.hosting.answers import probability_fault, rows_of
from facecli.inference.answers import length_fault
from facecli.pipeline.results import ImageResult
from facecli.types import FloatArray, UInt8Array


@dataclass(frozen=True, slots=True)
class BatchCrops:
    """The crops of a batch of pictures, as a model takes them.

    together: for each CropSpec (N, H, W, 3) uint8 RGB, the faces of all pictures in order. counts: faces per picture.
    """

    together: tuple[UInt8Array, ...]
    counts: tuple[int, ...]

    def split(self, output: object, name: str, width: int) -> list[FloatArray]:
        """Return each picture's rows of a model's output, which must be finite float32 (N, width).

        Raises ContractError, with the plugin's name, for any other output.
        """
        rows = rows_of(f"the output of {name}", output, sum(self.counts), width)
        return np.split(rows, np.cumsum(self.counts)[:-1])


def cut(results: Sequence[ImageResult], specs: Sequence[CropSpec]) -> BatchCrops:
    """Return the crops of all faces of a batch, one array for each spec. A picture with an error has no faces."""
    crops = [[_crops(result, spec) for result in results] for spec in specs]
    return BatchCrops(tuple(map(np.concatenate, crops)), tuple(map(len, crops[0])))


def check_lengths(plugin: RecognizerPlugin, rows: FloatArray) -> None:
    """Raise ContractError if an embedding, a row of (N, dim), is not of length 1 where the plugin promises that."""
    if plugin.normalized and (fault := length_fault(rows, normalized=True)):
        raise ContractError(f"the output of {plugin.name}: {fault}")


def check_probabilities(name: str, rows: FloatArray) -> None:
    """Raise ContractError, with the plugin's name, unless the rows are probabilities that sum to 1."""
    if probability_fault(rows):
        raise ContractError(f"the output of {name} must be probabilities: rows within [0, 1] that sum to 1")


def _crops(result: ImageResult, spec: CropSpec) -> UInt8Array:
    if result.error is not None or result.image is None:
        return np.zeros((0, spec.height, spec.width, 3), np.uint8)
    if result.detections is None:
        return cutting.whole(result.image, spec)
    return cutting.cut(result.image, result.detections, spec)
