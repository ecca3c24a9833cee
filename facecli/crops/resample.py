"""Resizing whole-pixel crops exactly as the projects do whose models are trained on them."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from facecli.types import UInt8Array

Method = Literal["linear", "area", "antialias"]

BITS = 22  # Pillow's weights are whole numbers of 2**-22, so that each pixel rounds as it does there
GROUP = 16  # output pixels that are summed up together: their inputs overlap little


def resize(pixels: UInt8Array, width: int, height: int, method: Method) -> UInt8Array:
    """(H, W, 3) uint8, at least 1 px -> (height, width, 3): OpenCV's linear or area, or Pillow's BILINEAR.

    Width first, then height, as Pillow has always done; since version 13 it turns that round for some sizes, which
    changes single values by 1.

    Only "area" and "antialias" look at every pixel of a picture that gets smaller.
    """
    if method == "antialias":
        columns = _along(pixels.transpose(1, 0, 2), width)
        return np.ascontiguousarray(_along(columns.transpose(1, 0, 2), height))
    flag = cv2.INTER_LINEAR if method == "linear" else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=flag), np.uint8)


def padded(pixels: UInt8Array, width: int, height: int, method: Method) -> UInt8Array:
    """The same with the sides' ratio kept and black bars beside it, placed as deepface places them."""
    rows, columns = pixels.shape[:2]
    factor = min(height / rows, width / columns)
    inner_width, inner_height = max(1, int(columns * factor)), max(1, int(rows * factor))
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    canvas[top : top + inner_height, left : left + inner_width] = resize(pixels, inner_width, inner_height, method)
    return canvas


def _along(pixels: UInt8Array, size: int) -> UInt8Array:
    """Resize the first axis of (N, M, 3) to `size` with a triangle filter as wide as what it covers of the input."""
    length, *rest = pixels.shape
    if length == size:
        return pixels  # Pillow leaves out a pass that changes nothing
    weights, first, last = _triangles(length, size)
    out = np.empty((size, *rest), np.uint8)
    for start in range(0, size, GROUP):
        end = min(start + GROUP, size)
        low, high = int(first[start]), int(last[end - 1])
        part = pixels[low:high].reshape(high - low, -1).astype(np.float64)  # whole numbers below 2**53 stay exact
        sums = weights[start:end, low:high] @ part
        rounded = np.floor((sums + 2 ** (BITS - 1)) / 2**BITS).clip(0, 255)
        out[start:end] = rounded.astype(np.uint8).reshape(end - start, *rest)
    return out


def _triangles(length: int, size: int) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Whole-number weights (size, length), and the first and the end of the inputs that each output sees."""
    scale = length / size
    support = max(scale, 1.0)
    centre = (np.arange(size) + 0.5) * scale
    first = np.maximum((centre - support + 0.5).astype(np.intp), 0)
    last = np.minimum((centre + support + 0.5).astype(np.intp), length)
    place = np.arange(length)
    heights = np.maximum(1 - np.abs((place - centre[:, None] + 0.5) * (1 / support)), 0)
    heights[(place < first[:, None]) | (place >= last[:, None])] = 0
    total = heights.cumsum(1)[:, -1:]  # one after the other, as Pillow adds them up: the last bit counts
    return np.floor(heights / total * 2**BITS + 0.5), first, last
