"""The proof that a bundle's runner does what facecli does: the same face, the same embedding, the same attributes."""

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
from facecli.geometry import overlap

if TYPE_CHECKING:
    from facecli.contract import AttributeClassifier, AttributePlugin, Detector, Recognizer, RecognizerPlugin
    from facecli.types import Detections, FloatArray, Image

BOX, COSINE, ATTRIBUTE = 0.97, 0.999, 0.05  # the runner warps and averages with other code than OpenCV's


@dataclass(frozen=True, slots=True)
class Tools:
    """What facecli itself runs: plugins as they are loaded, with the descriptors that say how faces are cut."""

    detector: Detector
    recognizer: tuple[RecognizerPlugin, Recognizer]
    attributes: Sequence[tuple[AttributePlugin, AttributeClassifier]]


def prove(folder: Path, tools: Tools) -> dict[str, Any]:
    """Run a bundle on the sample portraits beside facecli's plugins. Raises ExportError where they differ."""
    bundle = Bundle(folder)
    ious, cosines, differences = [], [], [0.0]
    for image, _ in samples.portraits():
        (want,) = tools.detector.detect([image])
        got = bundle.detect(image.pixels)
        ious.append(_same_faces(image, got, want))
        index = largest(got, image.pixels)
        own = want.select([int(overlap(got.boxes[index : index + 1], want.bboxes).argmax())])
        cosines.append(_same_embedding(image, bundle.embed(image.pixels, got, index), own, tools))
        for name, row in bundle.attributes(image.pixels, got, index).items():
            differences.append(_difference(image, name, row, own, tools))
    return {"pictures": len(ious), "iou": min(ious), "cosine": min(cosines), "attributes": max(differences)}


def _same_faces(image: Image, got: Faces, want: Detections) -> float:
    if len(got.boxes) != len(want) or not len(want):
        raise ExportError(f"the bundle finds {len(got.boxes)} faces in {image.source}, facecli {len(want)}")
    iou = float(overlap(got.boxes, want.bboxes).max(1).min())
    if not iou >= BOX:
        raise ExportError(f"the bundle's box in {image.source} has an IoU of {iou:.3f} with facecli's")
    return iou


def _same_embedding(image: Image, got: FloatArray, own: Detections, tools: Tools) -> float:
    plugin, recognizer = tools.recognizer
    want = recognizer.embed(cutting.cut(image, own, plugin.crop))[0]
    cosine = cosine_similarity(got, want)
    if not (got.shape == want.shape and cosine >= COSINE):
        raise ExportError(f"the bundle's embedding of {image.source} has a cosine of {cosine:.4f} with {plugin.name}'s")
    return cosine


def _difference(image: Image, attribute: str, got: Any, own: Detections, tools: Tools) -> float:
    plugin, model = next(pair for pair in tools.attributes if pair[0].attribute == attribute)
    want = model.classify(cutting.cut(image, own, plugin.crop))[0]
    values = np.array([got[label] for label in plugin.labels] if plugin.labels else [got])
    difference = float(np.abs(values - want).max())
    if not difference <= ATTRIBUTE * max(1.0, float(np.abs(want).max())):
        raise ExportError(f"the bundle's {attribute} of {image.source} is {difference:.3f} from {plugin.name}'s")
    return difference
