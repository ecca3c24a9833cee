"""Crops of the faces of a batch, and each picture's rows of a model's output for these crops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from facecli.contract import CropSpec, RecognizerPlugin
from facecli.crops import cutting
from facecli.errors import ContractError
from facecli.hosting.answers import probability_fault, rows_of
from facecli.inference.answers import length_fault
from facecli.pipeline.results import ImageResult
from facecli.types import FloatArray, UInt8Array

MOST_BYTES = 2**26  # of the crops that a model is given at once; a crowd on a large picture would make gigabytes
Crops = tuple[UInt8Array, ...]  # for each CropSpec (N, H, W, 3) uint8 RGB, the same faces in order


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a model for the faces of a batch.

    outputs: part by part, with the number of faces in each. counts: faces per picture.
    """

    outputs: tuple[tuple[int, object], ...]
    counts: tuple[int, ...]

    def split(self, name: str, width: int, part_of: Callable[[object], object] | None = None) -> list[FloatArray]:
        """Return each picture's rows of the outputs, which must be finite float32 (N, width).

        part_of: gives the part of an output that is meant; None is all of it. Raises ContractError, with the plugin's
        name, for any other output.
        """
        outputs = [(count, part_of(output) if part_of else output) for count, output in self.outputs]
        rows = np.concatenate([rows_of(f"the output of {name}", output, count, width) for count, output in outputs])
        return np.split(rows, np.cumsum(self.counts)[:-1])


def counts(results: Sequence[ImageResult]) -> tuple[int, ...]:
    """Return the faces of each picture; one that failed has none."""
    return tuple(0 if result.error is not None else len(result.indices) for result in results)


def cut(results: Sequence[ImageResult], specs: Sequence[CropSpec]) -> Iterator[Crops]:
    """Yield the crops of all faces of a batch in order, in parts that take MOST_BYTES; without faces one empty part."""
    most = max(1, MOST_BYTES // sum(spec.width * spec.height * 3 for spec in specs))
    part: list[ImageResult] = []
    room = most
    for result in results:
        faces = range(len(result.indices) if result.error is None else 0)
        while len(faces) > room:
            yield _together([*part, _only(result, faces[:room])], specs)
            part, faces, room = [], faces[room:], most
        part.append(_only(result, faces))
        room -= len(faces)
    yield _together(part, specs)


def check_lengths(plugin: RecognizerPlugin, rows: FloatArray) -> None:
    """Raise ContractError if an embedding, a row of (N, dim), is not of length 1 where the plugin promises that."""
    if plugin.normalized and (fault := length_fault(rows, normalized=True)):
        raise ContractError(f"the output of {plugin.name}: {fault}")


def check_probabilities(name: str, rows: FloatArray) -> None:
    """Raise ContractError, with the plugin's name, unless the rows are probabilities that sum to 1."""
    if probability_fault(rows):
        raise ContractError(f"the output of {name} must be probabilities: rows within [0, 1] that sum to 1")


def _only(result: ImageResult, faces: range) -> ImageResult:
    """Return a picture with some of its faces alone."""
    if result.detections is None or len(faces) == len(result.detections):
        return result
    return replace(result, detections=result.detections.select(list(faces)))


def _together(results: Sequence[ImageResult], specs: Sequence[CropSpec]) -> Crops:
    return tuple(np.concatenate([_crops(result, spec) for result in results]) for spec in specs)


def _crops(result: ImageResult, spec: CropSpec) -> UInt8Array:
    if result.error is not None or result.image is None:
        return np.zeros((0, spec.height, spec.width, 3), np.uint8)
    if result.detections is None:
        return cutting.whole(result.image, spec)
    return cutting.cut(result.image, result.detections, spec)
