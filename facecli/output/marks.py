"""Marks on a picture: a face's box and landmarks, a label, bars of probabilities, a line of text.

Marks grow with the picture and with the face, so that they can be seen at any resolution and never hide a face. They
are drawn in place, on (H, W, 3) uint8 RGB pixels.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from facecli.pipeline.results import ImageResult
from facecli.types import FloatArray, UInt8Array

Colour = tuple[int, int, int]
GREEN, RED, YELLOW, WHITE, BLACK = (40, 170, 60), (210, 40, 40), (255, 210, 0), (255, 255, 255), (0, 0, 0)
GREY = (90, 90, 90)
FONT = cv2.FONT_HERSHEY_SIMPLEX
SMALLEST_LETTER = 0.3  # scale of OpenCV's font: letters 6 px high, the smallest that can be read
BAR_LETTER = 0.4  # scale of OpenCV's font beside bars, in units of the face


def draw_face(canvas: UInt8Array, result: ImageResult, row: int, colour: Colour, note: str = "") -> None:
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


def legible_bars(canvas: UInt8Array, result: ImageResult, row: int) -> bool:
    """Return whether bars beside a face would be large enough to be read."""
    return BAR_LETTER * _unit(canvas, _box(result, row)) >= SMALLEST_LETTER


def draw_bars(canvas: UInt8Array, result: ImageResult, row: int, labels: Mapping[str, float]) -> None:
    """Draw a bar per label to the right of the face; to its left, or over it, where the picture ends."""
    box = x1, y1, x2, _ = _box(result, row)
    unit = _unit(canvas, box)
    step, width = round(17 * unit), round(130 * unit)
    height, full = canvas.shape[:2]
    left = max(x2 + 4 if x2 + 4 + width <= full else x1 - 4 - width, 0)
    top = min(max(y1, 0), max(height - step * len(labels), 0))
    part = canvas[top : top + step * len(labels), left : left + width]
    part[:] = part // 3  # a dark ground makes the letters legible
    best = likeliest(labels)
    for number, (label, value) in enumerate(labels.items()):
        y = top + step * number
        colour = GREEN if label == best else GREY
        cv2.rectangle(canvas, (left, y + 1), (left + round(width * value), y + step - 2), colour, cv2.FILLED)
        place = (left + round(3 * unit), y + round(12 * unit))
        size, thickness = BAR_LETTER * unit, max(1, round(unit))
        cv2.putText(canvas, f"{label} {value:.0%}", place, FONT, size, WHITE, thickness, cv2.LINE_AA)


def likeliest(labels: Mapping[str, float]) -> str | None:
    """Return the likeliest label, or None if the probability that is missing from 1 leaves room for a likelier one."""
    best = max(labels, key=lambda label: labels[label], default=None)
    return None if best is None or labels[best] < 1 - sum(labels.values()) else best


def write_centred(canvas: UInt8Array, text: str, y: int, size: float, colour: Colour, thickness: int) -> None:
    """Write text in the middle of the width, its base line y px below the top."""
    (width, _), _ = cv2.getTextSize(text, FONT, size, thickness)
    cv2.putText(canvas, text, ((canvas.shape[1] - width) // 2, y), FONT, size, colour, thickness, cv2.LINE_AA)


def _write_label(canvas: UInt8Array, text: str, x: int, y: int, size: float, ground: Colour) -> None:
    """Write white text on a coloured ground above (x, y), in px; moved into the picture where it would leave it."""
    thickness = max(1, round(size * 2))
    (width, height), base = cv2.getTextSize(text, FONT, size, thickness)
    x = min(max(x, 0), max(canvas.shape[1] - width, 0))
    y = max(y, height + base)
    cv2.rectangle(canvas, (x, y - height - base), (x + width, y), ground, cv2.FILLED)
    cv2.putText(canvas, text, (x, y - base // 2 - 1), FONT, size, WHITE, thickness, cv2.LINE_AA)


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
