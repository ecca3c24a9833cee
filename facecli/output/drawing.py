"""Pictures for people: boxes, landmarks, scores and verdicts drawn on copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from facecli.pipeline.results import ImageResult
from facecli.types import FloatArray, UInt8Array

Colour = tuple[int, int, int]
GREEN, RED, YELLOW, WHITE, BLACK = (40, 170, 60), (210, 40, 40), (255, 210, 0), (255, 255, 255), (0, 0, 0)
FONT = cv2.FONT_HERSHEY_SIMPLEX
SMALLEST_LETTER = 0.3  # of OpenCV's font: 6 px, what can still be read
PANEL_HEIGHT, BAND = 480, 84  # px: the height that a verdict shows its pictures in, and that of its text


def faces_of(result: ImageResult) -> UInt8Array:
    """A copy of the picture with every face's box, score and landmarks."""
    canvas = _copy(result)
    for row in range(len(result.indices)):
        _face(canvas, result, row, GREEN)
    return canvas


def face_of(result: ImageResult, row: int, *, same: bool) -> UInt8Array:
    """A copy of the picture with the face that was compared, in the colour of the verdict."""
    canvas = _copy(result)
    _face(canvas, result, row, GREEN if same else RED)
    return canvas


def attributes_of(result: ImageResult, probabilities: Sequence[Mapping[str, float]]) -> UInt8Array:
    """A copy with every face and a bar per label beside it; `probabilities` has label -> probability for each face.

    Beside a face too small for bars that can be read, only its likeliest label is written. Where a label that is not
    shown may be likelier than those that are, none is marked as the likeliest.
    """
    canvas = _copy(result)
    for row, shown in enumerate(probabilities):
        readable = bool(shown) and 0.4 * _unit(canvas, _box(result, row)) >= SMALLEST_LETTER
        best = _likeliest(shown)
        _face(canvas, result, row, GREEN, "" if readable or best is None else f"{best} {shown[best]:.0%}")
        if readable:
            _bars(canvas, result, row, shown)
    return canvas


def _likeliest(shown: Mapping[str, float]) -> str | None:
    """The likeliest label, unless what is missing of 1 leaves room for one that is likelier."""
    best = max(shown, key=lambda label: shown[label], default=None)
    return None if best is None or shown[best] < 1 - sum(shown.values()) else best


def verdict(panels: Sequence[UInt8Array], same: bool, metric: str, distance: float, threshold: float) -> UInt8Array:
    """Two pictures side by side under the words "Same person" (green) or "Different person" (red)."""
    resized = [_to_height(panel, PANEL_HEIGHT) for panel in panels]
    row = np.concatenate([np.pad(p, ((4, 4), (4, 4), (0, 0)), constant_values=255) for p in resized], axis=1)
    width = max(row.shape[1], 460)
    canvas = np.full((row.shape[0] + BAND, width, 3), 255, np.uint8)
    left = (width - row.shape[1]) // 2
    canvas[BAND:, left : left + row.shape[1]] = row
    words, colour = ("Same person", GREEN) if same else ("Different person", RED)
    _centred(canvas, words, 38, 1.1, colour, 2)
    sign = "<=" if same else ">"
    _centred(canvas, f"{metric} distance {distance:.3f} {sign} threshold {threshold:.3f}", 68, 0.55, BLACK, 1)
    return canvas


def _copy(result: ImageResult) -> UInt8Array:
    assert result.image is not None  # the pipeline was asked to keep it
    return np.ascontiguousarray(result.image.pixels.copy())


def _unit(canvas: UInt8Array, box: tuple[int, int, int, int]) -> float:
    """What one unit of line and letter size is for a face: marks show at any resolution and never hide the face."""
    height, width = canvas.shape[:2]
    return float(min(max(height, width) / 640, max(box[2] - box[0], box[3] - box[1], 1) / 60))


def _box(result: ImageResult, row: int) -> tuple[int, int, int, int]:
    """A face's box in whole pixels; the whole picture where it was taken as the crop."""
    assert result.width is not None and result.height is not None
    if result.detections is None:
        return 0, 0, result.width, result.height
    x1, y1, x2, y2 = _pixels(result, result.detections.bboxes[row])
    return x1, y1, x2, y2


def _pixels(result: ImageResult, values: FloatArray) -> list[int]:
    """Coordinates in whole pixels; what is far outside comes nearer, but not into the picture: OpenCV takes 32 bits."""
    assert result.width is not None and result.height is not None
    span = max(result.width, result.height)
    return [round(float(value)) for value in np.clip(values, -span, 2 * span)]


def _face(canvas: UInt8Array, result: ImageResult, row: int, colour: Colour, note: str = "") -> None:
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
        _label(canvas, note, x1, y1, max(0.45 * unit, SMALLEST_LETTER), colour)


def _bars(canvas: UInt8Array, result: ImageResult, row: int, shown: Mapping[str, float]) -> None:
    """Bars to the right of the face, or to its left or inside where the picture ends."""
    box = x1, y1, x2, _ = _box(result, row)
    unit = _unit(canvas, box)
    step, width = round(17 * unit), round(130 * unit)
    height, full = canvas.shape[:2]
    left = max(x2 + 4 if x2 + 4 + width <= full else x1 - 4 - width, 0)
    top = min(max(y1, 0), max(height - step * len(shown), 0))
    part = canvas[top : top + step * len(shown), left : left + width]
    part[:] = part // 3  # a dark ground, so that letters can be read
    best = _likeliest(shown)
    for number, (label, value) in enumerate(shown.items()):
        y = top + step * number
        colour = GREEN if label == best else (90, 90, 90)
        cv2.rectangle(canvas, (left, y + 1), (left + round(width * value), y + step - 2), colour, cv2.FILLED)
        where = (left + round(3 * unit), y + round(12 * unit))
        cv2.putText(canvas, f"{label} {value:.0%}", where, FONT, 0.4 * unit, WHITE, max(1, round(unit)), cv2.LINE_AA)


def _label(canvas: UInt8Array, text: str, x: int, y: int, size: float, ground: Colour) -> None:
    thickness = max(1, round(size * 2))
    (width, height), base = cv2.getTextSize(text, FONT, size, thickness)
    x = min(max(x, 0), max(canvas.shape[1] - width, 0))
    y = max(y, height + base)
    cv2.rectangle(canvas, (x, y - height - base), (x + width, y), ground, cv2.FILLED)
    cv2.putText(canvas, text, (x, y - base // 2 - 1), FONT, size, WHITE, thickness, cv2.LINE_AA)


def _centred(canvas: UInt8Array, text: str, y: int, size: float, colour: Colour, thickness: int) -> None:
    (width, _), _ = cv2.getTextSize(text, FONT, size, thickness)
    cv2.putText(canvas, text, ((canvas.shape[1] - width) // 2, y), FONT, size, colour, thickness, cv2.LINE_AA)


def _to_height(picture: UInt8Array, height: int) -> UInt8Array:
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    # A sliver must not become a canvas of a kilometre: what is very wide keeps a bounded width.
    return np.asarray(cv2.resize(picture, (min(width, 4 * height), height), interpolation=cv2.INTER_AREA), np.uint8)


def _drawable(attributes: dict[str, Any]) -> dict[str, float]:
    """Every probability of a face under "label" (one attribute) or "attribute label" (several)."""
    several = sum("probabilities" in answer for answer in attributes.values()) > 1
    return {
        f"{name} {label}" if several else label: value
        for name, answer in attributes.items()
        for label, value in answer.get("probabilities", {}).items()
    }
