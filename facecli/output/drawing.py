"""Pictures for people: faces, attributes and verdicts, drawn on copies of the pictures.

All pictures are (H, W, 3) uint8 RGB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from facecli.output.marks import (
    BLACK,
    GREEN,
    RED,
    Box,
    box_of,
    draw_bars,
    draw_face,
    legible_bars,
    likeliest,
    place_of_bars,
    write_centred,
)
from facecli.pipeline.results import ImageResult
from facecli.types import UInt8Array

PANEL_HEIGHT = 480  # px; both pictures of a verdict are resized to it
BAND = 84  # px; the height of the text above them
NARROWEST_VERDICT = 460  # px; the text needs as much


def faces_of(result: ImageResult) -> UInt8Array:
    """Return a copy of the picture with every face's box, index, score and landmarks."""
    canvas = _copy(result)
    boxes = [box_of(result, row) for row in range(len(result.indices))]
    for row in range(len(boxes)):
        draw_face(canvas, result, row, GREEN, taken=[*boxes[:row], *boxes[row + 1 :]])
    return canvas


def face_of(result: ImageResult, row: int, *, same: bool) -> UInt8Array:
    """Return a copy of the picture with one face, in the colour of the verdict: green if it is the same person."""
    canvas = _copy(result)
    draw_face(canvas, result, row, GREEN if same else RED)
    return canvas


def attributes_of(result: ImageResult, probabilities: Sequence[Mapping[str, float]]) -> UInt8Array:
    """Return a copy of the picture with every face and, beside it, a bar per label.

    probabilities: label -> probability, for each face.

    Bars cover no other face, and none of what was written before. A face without room for legible bars gets its
    likeliest label only. No label is marked as the likeliest if one that is not among them may be likelier.
    """
    canvas = _copy(result)
    boxes = [box_of(result, row) for row in range(len(probabilities))]
    written: list[Box] = []
    for row, labels in enumerate(probabilities):
        taken = [*boxes[:row], *boxes[row + 1 :], *written]
        room = bool(labels) and legible_bars(canvas, result, row)
        bars, best = place_of_bars(canvas, result, row, len(labels), taken) if room else None, likeliest(labels)
        note = "" if bars is not None or best is None else f"{best} {labels[best]:.0%}"
        if bars is not None:
            draw_bars(canvas, bars, labels)
            written.append(bars)
        label = draw_face(canvas, result, row, GREEN, note, [*taken, *written])
        written += [] if label is None else [label]
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
    write_centred(canvas, words, 38, 1.1, colour, 2)
    sign = "<=" if same else ">"
    write_centred(canvas, f"{metric} distance {distance:.3f} {sign} threshold {threshold:.3f}", 68, 0.55, BLACK, 1)
    return canvas


def _copy(result: ImageResult) -> UInt8Array:
    assert result.image is not None  # drawing is announced to the pipeline, which then keeps the picture
    return np.ascontiguousarray(result.image.pixels.copy())


def _resized(picture: UInt8Array, height: int) -> UInt8Array:
    """Return the picture at a height in px, in its proportions, but at most four times as wide as high.

    A picture of one row would otherwise become a canvas of gigabytes.
    """
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    return np.asarray(cv2.resize(picture, (min(width, 4 * height), height), interpolation=cv2.INTER_AREA), np.uint8)
