"""Crops as the numbers that a model wants; plugins, the export and the quantization share it."""

from __future__ import annotations

from functools import cache

import numpy as np

from facecli.contract import Preprocessing
from facecli.types import FloatArray, UInt8Array

# ITU-R BT.601 luma, as OpenCV's and Pillow's conversions to grey use it
GREY = np.array([0.299, 0.587, 0.114], np.float32)


def to_input(crops: UInt8Array, how: Preprocessing) -> FloatArray:
    """(N, H, W, 3) uint8 RGB crops as the float32 input that a model wants."""
    import cv2

    if how.colour == "grey":
        return _grey(crops, how)
    (count, height, width), planar = crops.shape[:3], how.layout == "NCHW"
    pixels = np.empty((count, 3, height, width) if planar else (count, height, width, 3), np.float32)
    for crop, target in zip(crops, pixels, strict=True):
        if planar:
            look_up(crop, how, target)
        else:
            ordered = crop if how.colour == "RGB" else crop[..., ::-1]
            cv2.LUT(ordered, levels(how.mean, how.std).T[None], dst=target)
    return pixels


def look_up(pixels: UInt8Array, how: Preprocessing, out: FloatArray) -> None:
    """(H, W, 3) uint8 RGB pixels into `out`, (3, H, W) float32, as a model in colour wants them."""
    import cv2

    planes = cv2.split(pixels)
    ordered = planes[::-1] if how.colour == "BGR" else planes
    for plane, table, target in zip(ordered, levels(how.mean, how.std), out, strict=True):
        cv2.LUT(plane, table, dst=target)


@cache
def levels(mean: tuple[float, ...], std: tuple[float, ...]) -> FloatArray:
    """What each of the 256 levels of a channel becomes: (3, 256) float32.

    Looked up, a picture takes a third to a fifth of the time that computing takes (docs/benchmarks.md).
    """
    means, stds = (np.broadcast_to(np.array(values, np.float32), 3)[:, None] for values in (mean, std))
    tables: FloatArray = np.divide(np.arange(256, dtype=np.float32) - means, stds, dtype=np.float32)
    return tables


def _grey(crops: UInt8Array, how: Preprocessing) -> FloatArray:
    mean, std = np.array(how.mean, np.float32), np.array(how.std, np.float32)
    pixels = np.divide((crops @ GREY)[..., None] - mean, std, dtype=np.float32)
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2) if how.layout == "NCHW" else pixels)
