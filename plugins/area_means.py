"""Averages over areas of a picture, by an integral image: each average costs four look-ups, however large its area.

This is PyTorch's adaptive average pooling (`interpolate` with mode "area"), which averages whole pixels: output i of n
over a length L covers pixels floor(i L / n) to ceil((i + 1) L / n). OpenCV's INTER_AREA weighs the pixels at the border
of an area; a network that is trained with the former finds other faces with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray, UInt8Array

IntArray = NDArray[np.int64]


class IntegralImage:
    """The integral image of (H, W, 3) uint8 pixels. height, width: of the picture, in px."""

    def __init__(self, pixels: UInt8Array) -> None:
        import cv2

        self.height, self.width = pixels.shape[:2]
        # int32 sums wrap around in pictures above 8 megapixels; their differences come out right all the same.
        self._sums = np.empty((3, self.height + 1, self.width + 1), np.int32)
        for channel, sums in enumerate(self._sums):
            cv2.integral(cv2.extractChannel(pixels, channel), sum=sums, sdepth=cv2.CV_32S)

    def level(self, height: int, width: int, top: int, bottom: int) -> FloatArray:
        """Return rows of the picture averaged down to (height, width): (3, bottom - top, width) float32.

        top, bottom: the first row of the averaged picture, and the one behind the last.
        """
        y0, y1 = bins(np.zeros(1, int), np.full(1, self.height), height)[:, 0, top:bottom]
        x0, x1 = bins(np.zeros(1, int), np.full(1, self.width), width)[:, 0]
        rows = self._sums.take(y1, axis=1)
        rows -= self._sums.take(y0, axis=1)
        sums = rows.take(x1, axis=2)
        sums -= rows.take(x0, axis=2)
        means: FloatArray = sums.astype(np.float32)  # first: a product of int32 and float32 goes through float64
        means *= _inverse(y1 - y0)[:, None] * _inverse(x1 - x0)
        return means

    def crops(self, boxes: IntArray, size: int) -> FloatArray:
        """Return the areas of boxes averaged down to squares: (N, 3, size, size) float32.

        boxes: (N, 4) whole px, x1 y1 x2 y2, within the picture.
        """
        x0, x1 = bins(boxes[:, 0], boxes[:, 2], size)[:, :, None, :]
        y0, y1 = bins(boxes[:, 1], boxes[:, 3], size)[..., None] * (self.width + 1)
        weight = _inverse((y1 - y0) // (self.width + 1)) * _inverse(x1 - x0)
        corners = y1 + x1, y0 + x1, y1 + x0, y0 + x0
        means = np.empty((len(boxes), 3, size, size), np.float32)
        for channel, plane in enumerate(self._sums.reshape(3, -1)):
            sums = plane.take(corners[0])
            sums -= plane.take(corners[1])
            sums -= plane.take(corners[2])
            sums += plane.take(corners[3])
            np.multiply(sums.astype(np.float32), weight, out=means[:, channel])
        return means


def bins(start: IntArray, end: IntArray, count: int) -> IntArray:
    """Return the pixels that each of `count` bins over start..end covers: (2, N, count), the first and the end.

    start, end: (N,) px; the pixel at `end` is no longer in the range.
    """
    steps, length = np.arange(count), (end - start)[:, None]
    first = steps * length // count
    last = -((steps + 1) * -length // count)
    return np.stack([first, last]) + start[:, None]


def _inverse(counts: IntArray) -> FloatArray:
    return np.reciprocal(counts, dtype=np.float32)
