"""A result face by face: what the arrays of an ImageResult say of each of its faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from facecli.pipeline.estimate import estimate
from facecli.pipeline.results import AttributeRows, ImageResult
from facecli.types import FloatArray


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of one face.

    label: the likeliest label, None if it is less likely than the model's floor, or if the attribute is a number.
    probabilities: label -> probability; empty for a number. value: the number, such as an age in years, else None.
    spread, low, high: its standard deviation, and the ends of the interval that holds it with a probability of 80 %;
    None where the model gives no more than the number.
    """

    label: str | None
    probabilities: Mapping[str, float]
    value: float | None
    spread: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face with everything that was asked for; a field is None if it was not, or if there is no such thing.

    index: place among the faces found. bbox: (4,) float32 xyxy, px of the upright picture. score: the detector's, in
    [0, 1]. landmarks: (5, 2) float32 xy px: eye, eye, nose, mouth corner, mouth corner; image-left first. embedding:
    (D,) float32. attributes: name -> answer. measures: "pose" or "quality" -> its numbers.
    """

    index: int
    bbox: FloatArray | None
    score: float | None
    landmarks: FloatArray | None
    embedding: FloatArray | None
    attributes: Mapping[str, Attribute]
    measures: Mapping[str, Mapping[str, float | None]]


def faces_of(result: ImageResult) -> tuple[Face, ...]:
    """Return the chosen faces of a result, in the order of its rows; none for a picture that failed."""
    return tuple(face_of(result, row) for row in range(len(result.indices)))


def face_of(result: ImageResult, row: int) -> Face:
    """Return one face of a result."""
    detections = result.detections
    landmarks = None if detections is None else detections.landmarks
    return Face(
        index=result.indices[row],
        bbox=None if detections is None else detections.bboxes[row],
        score=None if detections is None else float(detections.scores[row]),
        landmarks=None if landmarks is None else landmarks[row],
        embedding=None if result.embeddings is None else result.embeddings[row],
        attributes={answer.attribute: _attribute(answer, row) for answer in result.attributes},
        measures=result.measures[row] if result.measures else {},
    )


def _attribute(answer: AttributeRows, row: int) -> Attribute:
    values = answer.rows[row]
    if answer.bins:
        number = estimate(answer.bins, values)
        return Attribute(None, {}, number.value, number.spread, number.low, number.high)
    if not answer.labels:
        return Attribute(None, {}, float(values[0]))
    best = int(values.argmax())
    label = answer.labels[best] if values[best] >= answer.floor else None
    return Attribute(label, dict(zip(answer.labels, map(float, values), strict=True)), None)
