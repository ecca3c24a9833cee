"""Crops as the numbers that a model wants; plugins, the export and the quantization share it."""

from __future__ import annotations

import numpy as np

from facecli.contract import Preprocessing
from facecli.types import FloatArray, UInt8Array

# ITU-R BT.601 luma, as OpenCV's and Pillow's conversions to grey use it
GREY = np.array([0.299, 0.587, 0.114], np.float32)


def to_input(crops: UInt8Array, how: Preprocessing) -> FloatArray:
    """(N, H, W, 3) uint8 RGB crops as the float32 input that a model wants."""
    pixels: FloatArray = crops.astype(np.float32)
    if how.colour == "BGR":
        pixels = pixels[..., ::-1]
    elif how.colour == "grey":
        pixels = (pixels @ GREY)[..., None]
    mean, std = np.array(how.mean, np.float32), np.array(how.std, np.float32)
    pixels = np.divide(pixels - mean, std, dtype=np.float32)
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2) if how.layout == "NCHW" else pixels)
