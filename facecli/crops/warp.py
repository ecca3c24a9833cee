"""Warped crops: a face mapped onto the crop with fractions of pixels, and no pixel of it skipped over.

OpenCV's warpAffine looks at four pixels of the picture for each of the crop. A face much larger than the crop is
therefore averaged to a fraction of its size first.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facecli.contract import CropSpec
from facecli.types import FloatArray, UInt8Array

LONGEST_SIDE = 32766  # px; OpenCV warps nothing longer
SMALLEST_SCALE = 1e-6  # px of the crop per px of the picture; below, any picture is less than a pixel of the crop


def bbox_matrix(bbox: FloatArray, spec: CropSpec) -> NDArray[np.float64]:
    """Return the matrix (2, 3) that maps a bbox (4,) xyxy px, with the margin and shape of the spec, onto the crop."""
    x1, y1, x2, y2 = (float(v) for v in bbox)
    width, height = max(x2 - x1, 1.0), max(y2 - y1, 1.0)
    if spec.square:
        width = height = max(width, height)
    width, height = width * (1 + 2 * spec.margin), height * (1 + 2 * spec.margin)
    scale_x, scale_y = spec.width / width, spec.height / height
    left, top = (x1 + x2 - width) / 2, (y1 + y2 - height) / 2
    return np.array([[scale_x, 0, -left * scale_x], [0, scale_y, -top * scale_y]])


def warp(pixels: UInt8Array, matrix: NDArray[np.float64], spec: CropSpec) -> UInt8Array:
    """Return a crop (spec.height, spec.width, 3) uint8 RGB, interpolated bilinearly, black outside the picture.

    pixels: (H, W, 3), of the picture. matrix: (2, 3), from px of the picture to px of the crop.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    black = np.zeros((spec.height, spec.width, 3), np.uint8)
    if not SMALLEST_SCALE < scale < np.inf:
        return black
    factor = int(1 / scale) if scale < 0.5 else 1
    part, left, top = _source_of(pixels, matrix, factor, spec)
    if not part.size:
        return black
    height, width = part.shape[:2]
    across, down = _reduction(width, factor), _reduction(height, factor)
    if across > 1 or down > 1:
        columns, rows = width // across, height // down
        part = average(part[: rows * down, : columns * across], columns, rows)
    # The centre of pixel x of the large picture is at (x + 0.5) / factor of the small one.
    grow = np.array([[across, 0, left + (across - 1) / 2], [0, down, top + (down - 1) / 2], [0, 0, 1]])
    warped = cv2.warpAffine(part, matrix @ grow, (spec.width, spec.height), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.uint8)  # OpenCV's types do not say which dtype comes back


def average(pixels: UInt8Array, width: int, height: int) -> UInt8Array:
    """Return pixels (H, W, 3) resized to (height, width, 3) by averaging areas, as OpenCV's INTER_AREA does."""
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _reduction(length: int, factor: int) -> int:
    """Return how many px of an axis become one: `factor`, less if there are fewer, more if OpenCV can not warp them.

    length: px, of the axis.
    """
    return max(min(factor, length), -(-length // LONGEST_SIDE))


def _source_of(
    pixels: UInt8Array, matrix: NDArray[np.float64], margin: int, spec: CropSpec
) -> tuple[UInt8Array, int, int]:
    """Return the part of the picture that a crop shows, with a margin in px around it, and its left and top."""
    inverse = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0, 1], [spec.width, 0, 1], [0, spec.height, 1], [spec.width, spec.height, 1]]) @ inverse.T
    height, width = pixels.shape[:2]
    left, top = (int(v) for v in np.clip(np.floor(corners.min(0)) - margin, 0, [width, height]))
    right, bottom = (int(v) for v in np.clip(np.ceil(corners.max(0)) + margin, 0, [width, height]))
    return pixels[top:bottom, left:right], left, top
