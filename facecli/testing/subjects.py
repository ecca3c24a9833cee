"""A plugin under test as one shape: pictures in, arrays out, so that one set of checks fits every kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from facecli.contract import CropSpec, DetectorPlugin, RecognizerPlugin, Runtime
from facecli.contract.plugin import Plugin
from facecli.errors import ContractError
from facecli.testing import inputs
from facecli.types import Detections, FloatArray, Image, UInt8Array, require_array

Answer = tuple[FloatArray, ...]


class Subject(ABC):
    """A plugin with the inputs that it is tried on: name -> (H, W, 3) uint8 pixels."""

    def __init__(self, plugin: Any, runtime: Runtime, pictures: dict[str, UInt8Array], tolerance: float) -> None:
        self.plugin = plugin
        self.inputs = pictures
        self.tolerance = tolerance
        self.model: Any = None
        self._runtime = runtime

    def load(self) -> None:
        """Load the model, with the parameters that the descriptor states."""
        self.model = self.plugin.load(self._runtime, dict(self.plugin.parameters))

    def run(self, pictures: Sequence[UInt8Array]) -> list[Answer]:
        """One batch: an answer per picture. Raises ContractError if the plugin's result is not what it has to be."""
        return self.answers(self.batch(pictures))

    @abstractmethod
    def batch(self, pictures: Sequence[UInt8Array]) -> Any:
        """Copies of the pictures as this kind of plugin takes them; iterating gives one item per picture."""

    @abstractmethod
    def answers(self, batch: Any) -> list[Answer]:
        """What the plugin says to such a batch, checked."""


class DetectorSubject(Subject):
    """A detector; its answers are (bboxes, scores) or (bboxes, scores, landmarks)."""

    def batch(self, pictures: Sequence[UInt8Array]) -> list[Image]:
        """Pictures, which may differ in size."""
        return [Image(pixels.copy(), "conformance kit") for pixels in pictures]

    def answers(self, batch: list[Image]) -> list[Answer]:
        """The detections of each picture."""
        given: object = self.model.detect(batch)
        if not isinstance(given, list) or len(given) != len(batch):
            shown = f"{len(given)} of them" if isinstance(given, list) else type(given).__name__
            raise ContractError(f"detect must return a list of {len(batch)} Detections, got {shown}")
        return [self._answer(detections) for detections in given]

    def _answer(self, detections: object) -> Answer:
        if not isinstance(detections, Detections):
            raise ContractError(f"detect must return Detections, got {type(detections).__name__}")
        bboxes, scores, landmarks = detections.bboxes, detections.scores, detections.landmarks
        Detections(bboxes, scores, landmarks)  # its arrays may have been written to since they were checked
        if (landmarks is not None) != self.plugin.landmarks:
            given = "None" if landmarks is None else "an array"
            raise ContractError(f"the descriptor states landmarks={self.plugin.landmarks}, the Detections have {given}")
        return (bboxes, scores) if landmarks is None else (bboxes, scores, landmarks)


class CropSubject(Subject):
    """A recognizer or an attribute model; its answer is one row per crop."""

    def batch(self, pictures: Sequence[UInt8Array]) -> UInt8Array:
        """Crops stacked to (N, H, W, 3)."""
        spec = self.plugin.crop
        return np.stack(pictures) if pictures else np.zeros((0, spec.height, spec.width, 3), np.uint8)

    def answers(self, batch: UInt8Array) -> list[Answer]:
        """The row of each crop."""
        if isinstance(self.plugin, RecognizerPlugin):
            rows = _rows("embed", self.model.embed(batch), len(batch), self.plugin.dim)
        else:
            more = [_resized(batch, spec) for spec in self.plugin.more_crops]
            rows = _rows("classify", self.model.classify(batch, *more), len(batch), len(self.plugin.labels) or 1)
            if self.plugin.labels:
                _require_probabilities(rows)
        return [(row,) for row in rows]


def subject_of(plugin: Plugin, runtime: Runtime, picture: Image | None, tolerance: float) -> Subject:
    """The plugin, ready to be checked; nothing of it is loaded yet."""
    if isinstance(plugin, DetectorPlugin):
        return DetectorSubject(plugin, runtime, inputs.pictures(picture), tolerance)
    return CropSubject(plugin, runtime, inputs.crops(plugin.crop, picture), tolerance)


def _resized(crops: UInt8Array, spec: CropSpec) -> UInt8Array:
    """The crops in the size of another one of the model's, by nearest pixels."""
    rows = np.arange(spec.height) * crops.shape[1] // spec.height
    columns = np.arange(spec.width) * crops.shape[2] // spec.width
    return np.ascontiguousarray(crops[:, rows][:, :, columns])


def _rows(method: str, rows: FloatArray, count: int, columns: int) -> FloatArray:
    require_array(f"what {method} returns", rows, (count, columns), np.float32)
    if not np.isfinite(rows).all():
        raise ContractError(f"what {method} returns must be finite, got NaN or infinity")
    return rows


def _require_probabilities(rows: FloatArray) -> None:
    if len(rows) and (rows.min() < 0 or rows.max() > 1):
        raise ContractError(f"probabilities must lie in [0, 1], got {rows.min():.4g} to {rows.max():.4g}")
    off = np.abs(rows.sum(1) - 1) > 1e-3
    if off.any():
        raise ContractError(f"the probabilities of a row must sum to 1, got {rows[off][0].sum():.4g}")
