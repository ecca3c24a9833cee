"""Resizing crops exactly as the projects that the models come from: as OpenCV, or as Pillow.

A model answers differently to pixels that are resized in another way than those that it was trained on.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from facecli.types import UInt8Array

Method = Literal["linear", "area", "antialias"]

BITS = 22  # Pillow's weights are multiples of 2**-22; with others some pixels would round differently
GROUP = 16  # output pixels that are summed up at once: their inputs lie close together
MOST_VALUES = 2**23  # inputs at once, 8 bytes each


def resize(pixels: UInt8Array, width: int, height: int, method: Method) -> UInt8Array:
    """Return (H, W, 3) uint8 pixels, at least 1 px, resized to (height, width, 3).

    method: "linear" and "area" are OpenCV's, "antialias" is Pillow's BILINEAR. Only the latter two take every pixel
    of a picture that gets smaller into account.

    Pillow resizes the width first. Since version 13 it begins with the height for some sizes, which changes single
    values by 1; that is not copied.
    """
    if method == "antialias":
        columns = _along(pixels.transpose(1, 0, 2), width)
        return np.ascontiguousarray(_along(columns.transpose(1, 0, 2), height))
    flag = cv2.INTER_LINEAR if method == "linear" else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=flag), np.uint8)


def padded(pixels: UInt8Array, width: int, height: int, method: Method) -> UInt8Array:
    """Return (H, W, 3) uint8 pixels resized in their proportions, with black bars that fill (height, width, 3).

    The bars are placed as deepface places them. method: see resize.
    """
    rows, columns = pixels.shape[:2]
    factor = min(height / rows, width / columns)
    inner_width, inner_height = max(1, int(columns * factor)), max(1, int(rows * factor))
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    canvas[top : top + inner_height, left : left + inner_width] = resize(pixels, inner_width, inner_height, method)
    return canvas


def _along(pixels: UInt8Array, size: int) -> UInt8Array:
    """Return pixels (N, M, 3) with the first axis resized to `size`, by a triangle filter.

    The filter is as wide as two output pixels, measured in the input, and at least two input pixels wide.
    """
    length, *rest = pixels.shape
    if length == size:
        return pixels  # Pillow leaves out a pass that changes nothing
    out = np.empty((size, *rest), np.uint8)
    for start in range(0, size, GROUP):
        end = min(start + GROUP, size)
        weights, low = _triangles(length, size, start, end)
        high = low + weights.shape[1]
        columns = max(1, MOST_VALUES // (weights.shape[1] * pixels.shape[2]))
        for left in range(0, rest[0], columns):
            part = pixels[low:high, left : left + columns]
            values = part.reshape(high - low, -1).astype(np.float64)  # whole numbers below 2**53 stay exact
            rounded = np.floor((weights @ values + 2 ** (BITS - 1)) / 2**BITS).clip(0, 255)
            out[start:end, left : left + columns] = rounded.astype(np.uint8).reshape(end - start, *part.shape[1:])
    return out


def _triangles(length: int, size: int, start: int, end: int) -> tuple[NDArray[np.float64], int]:
    """Return the weights (end - start, M) of M inputs of the outputs from start to end, and the first of these inputs.

    length, size: inputs and outputs in all. The weights are whole multiples of 2**-BITS; no other input has any.
    """
    scale = length / size
    support = max(scale, 1.0)
    centre = (np.arange(start, end) + 0.5) * scale
    first = np.maximum((centre - support + 0.5).astype(np.intp), 0)
    last = np.minimum((centre + support + 0.5).astype(np.intp), length)
    inputs = np.arange(first[0], last[-1])
    heights = np.maximum(1 - np.abs((inputs - centre[:, None] + 0.5) * (1 / support)), 0)
    heights[(inputs < first[:, None]) | (inputs >= last[:, None])] = 0
    total = heights.cumsum(1)[:, -1:]  # one after the other, as Pillow adds them up: the last bit counts
    return np.floor(heights / total * 2**BITS + 0.5), int(first[0])
