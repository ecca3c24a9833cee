"""The crop that a gallery keeps of a face on request: enough of its picture to find and embed the face again."""

from __future__ import annotations

import cv2
import numpy as np

from facecli.pictures import codec
from facecli.types import FloatArray, Image

MARGIN = 2.0  # side of the crop, in longer sides of the face: detectors want to see the whole head
SIDE = 224  # px of a crop's side at most; the face has half of it, as many as most recognizers see


def cut(image: Image, bbox: FloatArray | None) -> bytes:
    """Return the JPEG of a face's crop. bbox: (4,) xyxy px; None for a picture that is a face as a whole."""
    left, top, right, bottom = _window(bbox, image.width, image.height)
    pixels = image.pixels[top:bottom, left:right]
    scale = _scale(right - left, bottom - top)
    if scale < 1.0:
        size = (max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return codec.encode(np.ascontiguousarray(pixels), ".jpg")


def placed(bbox: FloatArray, width: int, height: int) -> FloatArray:
    """Return the bbox of a face, (4,) xyxy px of a picture of this size, in px of its crop."""
    left, top, right, bottom = _window(bbox, width, height)
    moved = (bbox - np.array([left, top, left, top], np.float32)) * np.float32(_scale(right - left, bottom - top))
    return np.asarray(moved, np.float32)


def _window(bbox: FloatArray | None, width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom, px: a square around the face, as far as the picture goes."""
    if bbox is None:
        return 0, 0, width, height
    x1, y1, x2, y2 = (float(value) for value in bbox)
    half = MARGIN * max(x2 - x1, y2 - y1) / 2
    left, right = (min(max(round((x1 + x2) / 2 + step), 0), width) for step in (-half, half))
    top, bottom = (min(max(round((y1 + y2) / 2 + step), 0), height) for step in (-half, half))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _scale(width: int, height: int) -> float:
    return min(1.0, SIDE / max(width, height))
