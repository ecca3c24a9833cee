"""The proof that a bundle's runner finds the faces, embeddings and attributes that facecli finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facecli.crops import cutting
from facecli.errors import ExportError
from facecli.export.bundle.runner import Bundle, Faces, cosine_similarity, largest
from facecli.export.proof import samples
from facecli.export.proof.tolerances import is_of_integers
from facecli.geometry import overlap
from facecli.inference.session import open_session

if TYPE_CHECKING:
    from facecli.contract import AttributeClassifier, AttributePlugin, Detector, Recognizer, RecognizerPlugin
    from facecli.types import Detections, FloatArray, Image

# The least IoU of a box, the least cosine of an embedding, and the largest difference of a probability, or of another
# number as a part of it. They are loose: the runner warps and averages with other code than OpenCV's.
IOU, COSINE, ATTRIBUTE = 0.97, 0.999, 0.05
# A network of integers, as sface is, takes the last digit of a pixel for another level here and there.
COSINE_INT8 = 0.99


@dataclass(frozen=True, slots=True)
class Tools:
    """facecli's own side of the comparison: loaded plugins, with their descriptors, which state how faces are cut."""

    detector: Detector
    recognizer: tuple[RecognizerPlugin, Recognizer]
    attributes: Sequence[tuple[AttributePlugin, AttributeClassifier]]


def prove(folder: Path, tools: Tools) -> dict[str, Any]:
    """Run a bundle and facecli's plugins on the sample portraits; return the worst figures.

    Raises ExportError where one is beyond its limit.
    """
    bundle = Bundle(folder)
    integers = is_of_integers(open_session(folder / bundle.recognizer["file"]["path"]))
    least = COSINE_INT8 if integers else COSINE
    ious, cosines, differences = [], [], [0.0]
    for image, _ in samples.portraits():
        (expected,) = tools.detector.detect([image])
        faces = bundle.detect(image.pixels)
        ious.append(_compare_faces(image, faces, expected))
        index = largest(faces, image.pixels)
        face = expected.select([int(overlap(faces.boxes[index : index + 1], expected.bboxes).argmax())])
        cosines.append(_compare_embeddings(image, bundle.embed(image.pixels, faces, index), face, tools, least))
        for name, answer in bundle.attributes(image.pixels, faces, index).items():
            differences.append(_compare_attributes(image, name, answer, face, tools))
    return {"pictures": len(ious), "iou": min(ious), "cosine": min(cosines), "attributes": max(differences)}


def _compare_faces(image: Image, faces: Faces, expected: Detections) -> float:
    """Return the least IoU of the bundle's boxes with facecli's."""
    if len(faces.boxes) != len(expected) or not len(expected):
        raise ExportError(f"the bundle finds {len(faces.boxes)} faces in {image.source}, facecli {len(expected)}")
    iou = float(overlap(faces.boxes, expected.bboxes).max(1).min())
    if not iou >= IOU:
        raise ExportError(f"the bundle's box in {image.source} has an IoU of {iou:.3f} with facecli's")
    return iou


def _compare_embeddings(image: Image, embedding: FloatArray, face: Detections, tools: Tools, least: float) -> float:
    """Return the cosine of the bundle's embedding with facecli's. Raises ExportError if it is less than `least`."""
    plugin, recognizer = tools.recognizer
    expected = recognizer.embed(cutting.cut(image, face, plugin.crop))[0]
    if embedding.shape != expected.shape:
        raise ExportError(f"the bundle's embedding has {len(embedding)} numbers, {plugin.name}'s {len(expected)}")
    cosine = cosine_similarity(embedding, expected)
    if not cosine >= least:
        raise ExportError(f"the bundle's embedding of {image.source} has a cosine of {cosine:.4f} with {plugin.name}'s")
    return cosine


def _compare_attributes(image: Image, attribute: str, answer: Any, face: Detections, tools: Tools) -> float:
    """Return the largest difference of the bundle's answer, label -> probability or a number, from facecli's."""
    plugin, model = next(pair for pair in tools.attributes if pair[0].attribute == attribute)
    expected = model.classify(cutting.cut(image, face, plugin.crop))[0]
    values = np.array([answer[label] for label in plugin.labels] if plugin.labels else [answer])
    difference = float(np.abs(values - expected).max())
    if not difference <= ATTRIBUTE * max(1.0, float(np.abs(expected).max())):
        raise ExportError(f"the bundle's {attribute} of {image.source} is {difference:.3f} from {plugin.name}'s")
    return difference
