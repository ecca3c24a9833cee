"""The real faces that an export is proved on: the user's pictures, or two portraits in the public domain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.pictures.codec import decode
from facecli.types import Detections, FloatArray, Image, Limits, UInt8Array

FOLDER = Path(__file__).parents[1] / "samples"
DIMMED = 0.7  # factor on pixel values, for a portrait in less light


@dataclass(frozen=True, slots=True)
class Samples:
    """A source of real crops and pictures.

    data: "portraits", or "samples" for the user's pictures; reports carry this word. crops: cuts the faces as a model
    takes them, (N, H, W, 3) uint8 RGB. pictures: reads whole pictures, for detectors.
    """

    data: str
    crops: Callable[[CropSpec], UInt8Array]
    pictures: Callable[[], list[Image]]


def portraits() -> list[tuple[Image, Detections]]:
    """Return 8 pictures with the one face in each: two portraits and their mirror images, at full light and dimmed."""
    return [
        (Image((image.pixels * np.float32(light)).astype(np.uint8), image.source), face)
        for light in (1.0, DIMMED)
        for image, face in _both_ways()
    ]


def crops(spec: CropSpec) -> UInt8Array:
    """Return the portraits' faces cut as a model takes them: (8, H, W, 3) uint8 RGB."""
    return np.concatenate([cutting.cut(image, face, spec) for image, face in portraits()])


def pictures() -> list[Image]:
    """Return 10 pictures for detectors: each portrait, all of them tiled in one, and a grey picture without a face."""
    single = [image for image, _ in portraits()]
    rows = [np.concatenate([image.pixels for image in single[i : i + 4]], axis=1) for i in (0, 4)]
    group = Image(np.concatenate(rows), "all portraits")
    return [*single, group, Image(np.full_like(single[0].pixels, 127), "an empty picture")]


PORTRAITS = Samples("portraits", crops, pictures)


def _both_ways() -> Iterator[tuple[Image, Detections]]:
    """Yield each portrait and its mirror image, with the bbox and landmarks that samples.json states."""
    for name, face in json.loads((FOLDER / "samples.json").read_text("utf-8")).items():
        image = decode((FOLDER / name).read_bytes(), name, Limits())
        bbox = np.array([face["bbox"]], np.float32)
        landmarks = np.array([face["landmarks"]], np.float32)
        yield image, _face(bbox, landmarks)
        right = np.float32(image.width - 1)
        mirrored = right - bbox[:, [2, 1, 0, 3]]
        mirrored[:, [1, 3]] = bbox[:, [1, 3]]
        points = landmarks[:, [1, 0, 2, 4, 3]]  # the image-left eye and mouth corner are the image-right ones now
        points[..., 0] = right - points[..., 0]
        yield Image(np.ascontiguousarray(image.pixels[:, ::-1]), f"{name}, mirrored"), _face(mirrored, points)


def _face(bbox: FloatArray, landmarks: FloatArray) -> Detections:
    return Detections(bbox, np.ones(1, np.float32), landmarks)
