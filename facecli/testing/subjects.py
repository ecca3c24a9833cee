"""A plugin under test, so that one set of checks fits every kind: pixels in, one answer of arrays per picture out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from facecli.contract import AttributePlugin, CropSpec, DetectorPlugin, RecognizerPlugin, Runtime
from facecli.errors import ContractError
from facecli.hosting.answers import head_of, probability_fault, rows_of
from facecli.testing import inputs
from facecli.testing.recording import RecordingRuntime
from facecli.types import Detections, FloatArray, Image, UInt8Array

Answer = tuple[FloatArray, ...]


class Subject(ABC):
    """A plugin with the inputs that it is tried on.

    plugin: the descriptor. model: the object that its `load` returned, None before. inputs: name -> (H, W, 3) uint8
    RGB pixels. runtime: the one that `load` gets; it records.
    tolerance: difference, absolute and relative, that is allowed between two answers to one input.
    """

    def __init__(self, plugin: Any, runtime: Runtime, pictures: dict[str, UInt8Array], tolerance: float) -> None:
        self.plugin = plugin
        self.inputs = pictures
        self.tolerance = tolerance
        self.model: Any = None
        self.runtime = RecordingRuntime(runtime)

    def load(self) -> None:
        """Load the model with the descriptor's own parameters."""
        self.model = self.plugin.load(self.runtime, dict(self.plugin.parameters))

    def run(self, pictures: Sequence[UInt8Array]) -> list[Answer]:
        """Run one batch and return an answer per picture. Raises ContractError if the result is not as it must be."""
        return self.answers(self.batch(pictures))

    @abstractmethod
    def batch(self, pictures: Sequence[UInt8Array]) -> Any:
        """Return copies of the pictures in the form that this kind of plugin takes, one item per picture."""

    @abstractmethod
    def answers(self, batch: Any) -> list[Answer]:
        """Run the model on a batch and return an answer per picture. Raises ContractError as `run` does."""


class DetectorSubject(Subject):
    """A detector; its answers are (bboxes, scores) or (bboxes, scores, landmarks)."""

    def batch(self, pictures: Sequence[UInt8Array]) -> list[Image]:
        """Return copies as Images, which may differ in size."""
        return [Image(pixels.copy(), "conformance kit") for pixels in pictures]

    def answers(self, batch: list[Image]) -> list[Answer]:
        """Run the detector and return the arrays of each picture's Detections."""
        returned: object = self.model.detect(batch)
        if not isinstance(returned, list) or len(returned) != len(batch):
            got = f"{len(returned)} of them" if isinstance(returned, list) else type(returned).__name__
            raise ContractError(f"detect must return a list of {len(batch)} Detections, got {got}")
        return [self._answer(detections) for detections in returned]

    def _answer(self, detections: object) -> Answer:
        if not isinstance(detections, Detections):
            raise ContractError(f"detect must return Detections, got {type(detections).__name__}")
        bboxes, scores, landmarks = detections.bboxes, detections.scores, detections.landmarks
        Detections(bboxes, scores, landmarks)  # its arrays may have been written to since they were checked
        if (landmarks is not None) != self.plugin.landmarks:
            got = "None" if landmarks is None else "an array"
            raise ContractError(f"the descriptor states landmarks={self.plugin.landmarks}, the Detections have {got}")
        return (bboxes, scores) if landmarks is None else (bboxes, scores, landmarks)


class CropSubject(Subject):
    """A recognizer or an attribute model; its answer is one row per crop."""

    def batch(self, pictures: Sequence[UInt8Array]) -> UInt8Array:
        """Return the crops stacked to one new array (N, H, W, 3)."""
        spec = self.plugin.crop
        return np.stack(pictures) if pictures else np.zeros((0, spec.height, spec.width, 3), np.uint8)

    def crops_of(self, batch: UInt8Array) -> dict[CropSpec, UInt8Array]:
        """Return the crops of a batch, (N, H, W, 3), by each way of cutting that the plugin asks for."""
        more = () if isinstance(self.plugin, RecognizerPlugin) else self.plugin.more_crops
        return {spec: _resized(batch, spec) for spec in more} | {self.plugin.crop: batch}

    def answers(self, batch: UInt8Array) -> list[Answer]:
        """Run the model and return the row of each crop."""
        if isinstance(self.plugin, RecognizerPlugin):
            rows = rows_of("what embed returns", self.model.embed(batch), len(batch), self.plugin.dim)
        else:
            plugin = self.plugin
            output = self.model.classify(batch, *(_resized(batch, spec) for spec in plugin.more_crops))
            answer = head_of(plugin, output) if plugin.head else output
            rows = rows_of("what classify returns", answer, len(batch), plugin.columns)
            if (plugin.labels or plugin.bins) and (fault := probability_fault(rows)):
                raise ContractError(fault)
        return [(row,) for row in rows]


def subject_of(
    plugin: DetectorPlugin | RecognizerPlugin | AttributePlugin,
    runtime: Runtime,
    portrait: Image | None,
    tolerance: float,
) -> Subject:
    """Return a plugin with its inputs, not loaded yet. portrait: a picture with a face, as one more input."""
    if isinstance(plugin, DetectorPlugin):
        return DetectorSubject(plugin, runtime, inputs.pictures(portrait), tolerance)
    return CropSubject(plugin, runtime, inputs.crops(plugin.crop, portrait), tolerance)


def _resized(crops: UInt8Array, spec: CropSpec) -> UInt8Array:
    """Return (N, H, W, 3) crops in the size of another CropSpec, by nearest pixels."""
    rows = np.arange(spec.height) * crops.shape[1] // spec.height
    columns = np.arange(spec.width) * crops.shape[2] // spec.width
    return np.ascontiguousarray(crops[:, rows][:, :, columns])
