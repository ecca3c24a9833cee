"""Preprocessing: crops as the numbers that a model takes. Plugins, the export and its quantization share it."""

from __future__ import annotations

from functools import cache

import numpy as np

from facecli.contract import Preprocessing
from facecli.types import FloatArray, UInt8Array

# Weights of R, G and B: the luma of ITU-R BT.601, which OpenCV and Pillow use for grey, too.
GREY = np.array([0.299, 0.587, 0.114], np.float32)


def to_input(crops: UInt8Array, preprocessing: Preprocessing) -> FloatArray:
    """Return the float32 input of a model for (N, H, W, 3) uint8 RGB crops, in the order of preprocessing.layout."""
    import cv2

    if preprocessing.colour == "grey":
        return _grey(crops, preprocessing)
    (count, height, width), planar = crops.shape[:3], preprocessing.layout == "NCHW"
    pixels = np.empty((count, 3, height, width) if planar else (count, height, width, 3), np.float32)
    for crop, target in zip(crops, pixels, strict=True):
        if planar:
            write_planes(crop, preprocessing, target)
        else:
            ordered = crop if preprocessing.colour == "RGB" else crop[..., ::-1]
            cv2.LUT(ordered, level_table(preprocessing.mean, preprocessing.std).T[None], dst=target)
    return pixels


def write_planes(pixels: UInt8Array, preprocessing: Preprocessing, out: FloatArray) -> None:
    """Preprocess (H, W, 3) uint8 RGB pixels for a model in colour. out: (3, H, W) float32, where they are written."""
    import cv2

    planes = cv2.split(pixels)
    ordered = planes[::-1] if preprocessing.colour == "BGR" else planes
    for plane, table, target in zip(ordered, level_table(preprocessing.mean, preprocessing.std), out, strict=True):
        cv2.LUT(plane, table, dst=target)


@cache
def level_table(mean: tuple[float, ...], std: tuple[float, ...]) -> FloatArray:
    """Return the preprocessed values of the 256 levels of each channel: (3, 256) float32.

    Looking values up takes a third to a fifth of the time of computing them (docs/benchmarks.md).
    """
    means, stds = (np.broadcast_to(np.array(values, np.float32), 3)[:, None] for values in (mean, std))
    tables: FloatArray = np.divide(np.arange(256, dtype=np.float32) - means, stds, dtype=np.float32)
    return tables


def _grey(crops: UInt8Array, preprocessing: Preprocessing) -> FloatArray:
    """Return the input of a model that takes one channel."""
    mean, std = np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)
    pixels = np.divide((crops @ GREY)[..., None] - mean, std, dtype=np.float32)
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2) if preprocessing.layout == "NCHW" else pixels)
