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
    """Return the weights (size, length) of the inputs of each output, as whole multiples of 2**-BITS.

    Also returns, for each output, the first input with a weight and the one behind the last: (size,) each.
    """
    scale = length / size
    support = max(scale, 1.0)
    centre = (np.arange(size) + 0.5) * scale
    first = np.maximum((centre - support + 0.5).astype(np.intp), 0)
    last = np.minimum((centre + support + 0.5).astype(np.intp), length)
    inputs = np.arange(length)
    heights = np.maximum(1 - np.abs((inputs - centre[:, None] + 0.5) * (1 / support)), 0)
    heights[(inputs < first[:, None]) | (inputs >= last[:, None])] = 0
    total = heights.cumsum(1)[:, -1:]  # one after the other, as Pillow adds them up: the last bit counts
    return np.floor(heights / total * 2**BITS + 0.5), first, last
