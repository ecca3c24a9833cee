"""Marks on a picture: a face's box and landmarks, a label, bars of probabilities, a line of text.

Marks grow with the picture and with the face, so that they can be seen at any resolution and never hide a face. They
are drawn in place, on (H, W, 3) uint8 RGB pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from facecli.pipeline.results import ImageResult
from facecli.types import FloatArray, UInt8Array

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]  # left, top, right, bottom in px
GREEN, RED, YELLOW, WHITE, BLACK = (40, 170, 60), (210, 40, 40), (255, 210, 0), (255, 255, 255), (0, 0, 0)
GREY = (90, 90, 90)
FONT = cv2.FONT_HERSHEY_SIMPLEX
SMALLEST_LETTER = 0.3  # scale of OpenCV's font: letters 6 px high, the smallest that can be read
BAR_LETTER = 0.4  # scale of OpenCV's font beside bars, in units of the face


def draw_face(
    canvas: UInt8Array, result: ImageResult, row: int, colour: Colour, note: str = "", taken: Sequence[Box] = ()
) -> Box | None:
    """Draw a face's box and landmarks, and a label: its index, its score, and the note. Return the label's place.

    taken: places that the label leaves free, such as other faces.
    """
    box = x1, y1, x2, y2 = box_of(result, row)
    unit = _unit(canvas, box)
    if result.detections is not None:
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, max(1, round(2 * unit)))
        note = f"{result.indices[row]}: {result.detections.scores[row]:.2f}  {note}".rstrip()
        if result.detections.landmarks is not None:
            for point in result.detections.landmarks[row]:
                x, y = _pixels(result, point)
                cv2.circle(canvas, (x, y), max(1, round(2.5 * unit)), YELLOW, cv2.FILLED)
    return _write_label(canvas, note, box, max(0.45 * unit, SMALLEST_LETTER), colour, taken) if note else None


def legible_bars(canvas: UInt8Array, result: ImageResult, row: int) -> bool:
    """Return whether bars beside a face would be large enough to be read."""
    return BAR_LETTER * _unit(canvas, box_of(result, row)) >= SMALLEST_LETTER


def place_of_bars(
    canvas: UInt8Array, result: ImageResult, row: int, count: int, taken: Sequence[Box] = ()
) -> Box | None:
    """Return the place for `count` bars: right of the face, or left of it, inside the picture; None if none is free.

    taken: places that the bars leave free, such as other faces. A picture that is itself a crop has its bars on it.
    """
    x1, y1, x2, _ = box_of(result, row)
    unit = _unit(canvas, (x1, y1, x2, _))
    width, depth = round(130 * unit), round(17 * unit) * count
    height, full = canvas.shape[:2]
    top = min(max(y1, 0), max(height - depth, 0))
    if result.detections is None:
        return 0, top, width, top + depth
    for left in (x2 + 4, x1 - 4 - width):
        place = left, top, left + width, top + depth
        if left >= 0 and left + width <= full and not any(_overlap(place, other) for other in taken):
            return place
    return None


def draw_bars(canvas: UInt8Array, place: Box, labels: Mapping[str, float]) -> None:
    """Draw a bar per label, all of them in a place."""
    left, top, right, bottom = place
    step, width = (bottom - top) // len(labels), right - left
    unit = width / 130
    part = canvas[top:bottom, max(left, 0) : right]
    part[:] = part // 3  # a dark ground makes the letters legible
    best = likeliest(labels)
    for number, (label, value) in enumerate(labels.items()):
        y = top + step * number
        colour = GREEN if label == best else GREY
        cv2.rectangle(canvas, (left, y + 1), (left + round(width * value), y + step - 2), colour, cv2.FILLED)
        start = (left + round(3 * unit), y + round(12 * unit))
        size, thickness = BAR_LETTER * unit, max(1, round(unit))
        cv2.putText(canvas, f"{label} {value:.0%}", start, FONT, size, WHITE, thickness, cv2.LINE_AA)


def likeliest(labels: Mapping[str, float]) -> str | None:
    """Return the likeliest label, or None if the probability that is missing from 1 leaves room for a likelier one."""
    best = max(labels, key=lambda label: labels[label], default=None)
    return None if best is None or labels[best] < 1 - sum(labels.values()) else best


def write_centred(canvas: UInt8Array, text: str, y: int, size: float, colour: Colour, thickness: int) -> None:
    """Write text in the middle of the width, its base line y px below the top."""
    (width, _), _ = cv2.getTextSize(text, FONT, size, thickness)
    cv2.putText(canvas, text, ((canvas.shape[1] - width) // 2, y), FONT, size, colour, thickness, cv2.LINE_AA)


def _write_label(canvas: UInt8Array, text: str, box: Box, size: float, ground: Colour, taken: Sequence[Box]) -> Box:
    """Write white text on a coloured ground above a face, and return its place.

    It stands below the face where something is taken above, in the face's own box where both are, and always in the
    picture.
    """
    thickness = max(1, round(size * 2))
    (width, height), base = cv2.getTextSize(text, FONT, size, thickness)
    depth, last = height + base, max(canvas.shape[1] - width, 0)
    lefts = [min(max(x, 0), last) for x in (box[0], box[2] - width)]
    bottoms = max(box[1], depth), min(box[3] + depth, canvas.shape[0]), max(box[1], 0) + depth
    places = [(x, y - depth, x + width, y) for y in bottoms for x in lefts]
    place = next((one for one in places if not any(_overlap(one, other) for other in taken)), places[-1])
    x, y = place[0], place[3]
    cv2.rectangle(canvas, (x, y - height - base), (x + width, y), ground, cv2.FILLED)
    cv2.putText(canvas, text, (x, y - base // 2 - 1), FONT, size, WHITE, thickness, cv2.LINE_AA)
    return place


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _unit(canvas: UInt8Array, box: Box) -> float:
    """Return the unit, in px, of lines and letters of one face.

    It grows with the picture, so that marks can be seen at any resolution, but no further than the face allows: marks
    never hide it.
    """
    height, width = canvas.shape[:2]
    return float(min(max(height, width) / 640, max(box[2] - box[0], box[3] - box[1], 1) / 60))


def box_of(result: ImageResult, row: int) -> Box:
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
