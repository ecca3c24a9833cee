"""Pictures for people: boxes, landmarks, scores and verdicts, drawn on copies of the pictures.

All pictures are (H, W, 3) uint8 RGB, and all sizes of lines and letters grow with the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from facecli.pipeline.results import ImageResult
from facecli.types import FloatArray, UInt8Array

Colour = tuple[int, int, int]
GREEN, RED, YELLOW, WHITE, BLACK = (40, 170, 60), (210, 40, 40), (255, 210, 0), (255, 255, 255), (0, 0, 0)
GREY = (90, 90, 90)
FONT = cv2.FONT_HERSHEY_SIMPLEX
SMALLEST_LETTER = 0.3  # scale of OpenCV's font: letters 6 px high, the smallest that can be read
PANEL_HEIGHT = 480  # px; both pictures of a verdict are resized to it
BAND = 84  # px; the height of the text above them
NARROWEST_VERDICT = 460  # px; the text needs as much


def faces_of(result: ImageResult) -> UInt8Array:
    """Return a copy of the picture with every face's box, index, score and landmarks."""
    canvas = _copy(result)
    for row in range(len(result.indices)):
        _draw_face(canvas, result, row, GREEN)
    return canvas


def face_of(result: ImageResult, row: int, *, same: bool) -> UInt8Array:
    """Return a copy of the picture with one face, in the colour of the verdict: green if it is the same person."""
    canvas = _copy(result)
    _draw_face(canvas, result, row, GREEN if same else RED)
    return canvas


def attributes_of(result: ImageResult, probabilities: Sequence[Mapping[str, float]]) -> UInt8Array:
    """Return a copy of the picture with every face and, beside it, a bar per label.

    probabilities: label -> probability, for each face.

    A face too small for legible bars gets its likeliest label only. No label is marked as the likeliest if one that is
    not among them may be likelier.
    """
    canvas = _copy(result)
    for row, labels in enumerate(probabilities):
        legible = bool(labels) and 0.4 * _unit(canvas, _box(result, row)) >= SMALLEST_LETTER
        best = _likeliest(labels)
        _draw_face(canvas, result, row, GREEN, "" if legible or best is None else f"{best} {labels[best]:.0%}")
        if legible:
            _draw_bars(canvas, result, row, labels)
    return canvas


def probabilities_by_label(attributes: Mapping[str, Any]) -> dict[str, float]:
    """Return all probabilities of a face, to be drawn: by label for one attribute, by "attribute label" for several.

    attributes: as in the face's record, by name; those without probabilities, such as age, are left out.
    """
    several = sum("probabilities" in answer for answer in attributes.values()) > 1
    return {
        f"{name} {label}" if several else label: value
        for name, answer in attributes.items()
        for label, value in answer.get("probabilities", {}).items()
    }


def verdict(panels: Sequence[UInt8Array], same: bool, metric: str, distance: float, threshold: float) -> UInt8Array:
    """Return two pictures side by side under the words "Same person" (green) or "Different person" (red).

    metric, distance, threshold: written below the words.
    """
    resized = [_resized(panel, PANEL_HEIGHT) for panel in panels]
    row = np.concatenate([np.pad(p, ((4, 4), (4, 4), (0, 0)), constant_values=255) for p in resized], axis=1)
    width = max(row.shape[1], NARROWEST_VERDICT)
    canvas = np.full((row.shape[0] + BAND, width, 3), 255, np.uint8)
    left = (width - row.shape[1]) // 2
    canvas[BAND:, left : left + row.shape[1]] = row
    words, colour = ("Same person", GREEN) if same else ("Different person", RED)
    _write_centred(canvas, words, 38, 1.1, colour, 2)
    sign = "<=" if same else ">"
    _write_centred(canvas, f"{metric} distance {distance:.3f} {sign} threshold {threshold:.3f}", 68, 0.55, BLACK, 1)
    return canvas


def _likeliest(labels: Mapping[str, float]) -> str | None:
    """Return the likeliest label, or None if the probability that is missing from 1 leaves room for a likelier one."""
    best = max(labels, key=lambda label: labels[label], default=None)
    return None if best is None or labels[best] < 1 - sum(labels.values()) else best


def _copy(result: ImageResult) -> UInt8Array:
    assert result.image is not None  # drawing is announced to the pipeline, which then keeps the picture
    return np.ascontiguousarray(result.image.pixels.copy())


def _unit(canvas: UInt8Array, box: tuple[int, int, int, int]) -> float:
    """Return the unit, in px, of lines and letters of one face.

    It grows with the picture, so that marks can be seen at any resolution, but no further than the face allows: marks
    never hide it.
    """
    height, width = canvas.shape[:2]
    return float(min(max(height, width) / 640, max(box[2] - box[0], box[3] - box[1], 1) / 60))


def _box(result: ImageResult, row: int) -> tuple[int, int, int, int]:
    """Return a face's box, xyxy in whole px; for a picture that is itself a crop, the whole picture."""
    assert result.width is not None and result.height is not None
    if result.detections is None:
        return 0, 0, result.width, result.height
    x1, y1, x2, y2 = _pixels(result, result.detections.bboxes[row])
    return x1, y1, x2, y2


def _pixels(result: ImageResult, values: FloatArray) -> list[int]:
    """Return coordinates as whole px.

    They are clamped to one picture size around the picture, so that OpenCV's int32 can not overflow and a mark that
    is outside stays outside.
    """
    assert result.width is not None and result.height is not None
    span = max(result.width, result.height)
    return [round(float(value)) for value in np.clip(values, -span, 2 * span)]


def _draw_face(canvas: UInt8Array, result: ImageResult, row: int, colour: Colour, note: str = "") -> None:
    """Draw a face's box and landmarks, and a label: its index, its score, and the note."""
    box = x1, y1, x2, y2 = _box(result, row)
    unit = _unit(canvas, box)
    if result.detections is not None:
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, max(1, round(2 * unit)))
        note = f"{result.indices[row]}: {result.detections.scores[row]:.2f}  {note}".rstrip()
        if result.detections.landmarks is not None:
            for point in result.detections.landmarks[row]:
                x, y = _pixels(result, point)
                cv2.circle(canvas, (x, y), max(1, round(2.5 * unit)), YELLOW, cv2.FILLED)
    if note:
        _write_label(canvas, note, x1, y1, max(0.45 * unit, SMALLEST_LETTER), colour)


def _draw_bars(canvas: UInt8Array, result: ImageResult, row: int, labels: Mapping[str, float]) -> None:
    """Draw a bar per label to the right of the face; to its left, or over it, where the picture ends."""
    box = x1, y1, x2, _ = _box(result, row)
    unit = _unit(canvas, box)
    step, width = round(17 * unit), round(130 * unit)
    height, full = canvas.shape[:2]
    left = max(x2 + 4 if x2 + 4 + width <= full else x1 - 4 - width, 0)
    top = min(max(y1, 0), max(height - step * len(labels), 0))
    part = canvas[top : top + step * len(labels), left : left + width]
    part[:] = part // 3  # a dark ground makes the letters legible
    best = _likeliest(labels)
    for number, (label, value) in enumerate(labels.items()):
        y = top + step * number
        colour = GREEN if label == best else GREY
        cv2.rectangle(canvas, (left, y + 1), (left + round(width * value), y + step - 2), colour, cv2.FILLED)
        place = (left + round(3 * unit), y + round(12 * unit))
        cv2.putText(canvas, f"{label} {value:.0%}", place, FONT, 0.4 * unit, WHITE, max(1, round(unit)), cv2.LINE_AA)


def _write_label(canvas: UInt8Array, text: str, x: int, y: int, size: float, ground: Colour) -> None:
    """Write white text on a coloured ground above (x, y), in px; moved into the picture where it would leave it."""
    thickness = max(1, round(size * 2))
    (width, height), base = cv2.getTextSize(text, FONT, size, thickness)
    x = min(max(x, 0), max(canvas.shape[1] - width, 0))
    y = max(y, height + base)
    cv2.rectangle(canvas, (x, y - height - base), (x + width, y), ground, cv2.FILLED)
    cv2.putText(canvas, text, (x, y - base // 2 - 1), FONT, size, WHITE, thickness, cv2.LINE_AA)


def _write_centred(canvas: UInt8Array, text: str, y: int, size: float, colour: Colour, thickness: int) -> None:
    """Write text in the middle of the width, its base line y px below the top."""
    (width, _), _ = cv2.getTextSize(text, FONT, size, thickness)
    cv2.putText(canvas, text, ((canvas.shape[1] - width) // 2, y), FONT, size, colour, thickness, cv2.LINE_AA)


def _resized(picture: UInt8Array, height: int) -> UInt8Array:
    """Return the picture at a height in px, in its proportions, but at most four times as wide as high.

    A picture of one row would otherwise become a canvas of gigabytes.
    """
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    return np.asarray(cv2.resize(picture, (min(width, 4 * height), height), interpolation=cv2.INTER_AREA), np.uint8)
