"""Windows: crops of whole pixels around a bbox, as facenet-pytorch, deepface and Silent-Face cut them."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from facecli.contract import CropSpec
from facecli.crops.warp import LONGEST_SIDE
from facecli.types import FloatArray, UInt8Array

# Left, top, right, bottom in px of the picture; right and bottom are behind the last pixel.
Window = tuple[int, int, int, int]


def bbox_window(bbox: FloatArray, spec: CropSpec, width: int, height: int) -> Window:
    """Return the window of a bbox (4,) xyxy px, with the margin and shape of the spec.

    width, height: px, of the picture. spec.outside says what becomes of a window that reaches beyond it.
    """
    low, high = bbox[:2].astype(np.float64), bbox[2:].astype(np.float64)
    sides = np.maximum(high - low, 1.0)
    grown = np.full(2, sides.max()) if spec.square else sides
    picture = np.array([width, height], np.float64)
    if spec.outside == "shift":  # as Silent-Face: the last pixel is inside
        half = grown * min(1 + 2 * spec.margin, *((picture - 1) / grown)) / 2
        low, high = (low + high) / 2 - half, (low + high) / 2 + half
        shift = np.where(low < 0, low, np.maximum(high - (picture - 1), 0))
        low, high = low - shift, high - shift + 1
    else:
        more = (grown - sides) / 2 + grown * spec.margin
        low, high = low - more, high + more
    # facenet-pytorch cuts at the picture's edges; deepface surrounds the picture with black, half as wide as it.
    around = picture / 2 if spec.outside == "black" else 0 * picture
    left, top = (int(v) for v in low.clip(-around, picture + around))
    right, bottom = (int(v) for v in high.clip(-around, picture + around))
    return left, top, right, bottom


def pixels_in(pixels: UInt8Array, window: Window, eyes: FloatArray | None) -> UInt8Array:
    """Return the pixels in a window, black outside the picture.

    pixels: (H, W, 3), of the picture. eyes: (2, 2) px, image-left first; the window's content is turned about its
    centre until they are level. None: it is not turned.
    """
    left, top, right, bottom = window
    part, x, y = _inside(pixels, window)
    columns, rows = max(right - left, 0), max(bottom - top, 0)
    if eyes is not None and 0 < max(columns, rows) < LONGEST_SIDE / 2:
        return _level(pixels, window, eyes)
    if part.shape[:2] == (rows, columns):
        return part
    canvas = np.zeros((rows, columns, 3), np.uint8)
    if part.size:
        canvas[y - top : y - top + part.shape[0], x - left : x - left + part.shape[1]] = part
    return canvas


def _level(pixels: UInt8Array, window: Window, eyes: FloatArray) -> UInt8Array:
    """Return the pixels in a window, turned until the eyes are level."""
    left, top, right, bottom = window
    columns, rows = right - left, bottom - top
    across, down = (eyes[1] - eyes[0]).tolist()
    # deepface turns a copy that is larger by a half on each side, about that copy's middle pixel.
    far, deep = columns // 2, rows // 2
    centre = (left - far + (columns + 2 * far) // 2, top - deep + (rows + 2 * deep) // 2)
    turn = cv2.getRotationMatrix2D(centre, math.degrees(math.atan2(down, across)), 1.0)
    matrix: NDArray[np.float64] = np.asarray(turn, np.float64)
    part, x, y = _inside(pixels, (left - far, top - deep, right + far, bottom + deep))
    if not part.size:
        return np.zeros((rows, columns, 3), np.uint8)
    shift: NDArray[np.float64] = matrix[:, :2] @ np.array([x, y], np.float64) - np.array([left, top], np.float64)
    matrix[:, 2] += shift
    return np.asarray(cv2.warpAffine(part, matrix, (columns, rows), flags=cv2.INTER_CUBIC), np.uint8)


def _inside(pixels: UInt8Array, window: Window) -> tuple[UInt8Array, int, int]:
    """Return the part of a window that lies in the picture, and its left and top."""
    height, width = pixels.shape[:2]
    left, right = (min(max(x, 0), width) for x in window[::2])
    top, bottom = (min(max(y, 0), height) for y in window[1::2])
    return pixels[top:bottom, left:right], left, top
