"""Bytes to pixels and back."""

from __future__ import annotations

import os

import cv2
import numpy as np

from facecli.errors import DecodeError, OutputError, UsageError
from facecli.pictures.headers import read_header
from facecli.types import Image, Limits, UInt8Array

_ENCODINGS: dict[str, list[int]] = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".png": [],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95],
}


def decode(data: bytes, source: str, limits: Limits) -> Image:
    """A picture file's bytes -> an upright RGB picture (the first frame of an animation, alpha dropped).

    Raises DecodeError if the bytes are no picture, truncated or damaged, or describe more than limits.max_pixels,
    which is known before any pixel is decoded.
    """
    header = read_header(data, source)
    check_size(header.width, header.height, source, limits)
    if header.format == "GIF":  # OpenCV refuses a background outside the palette and a missing end, as old files have
        data = data[:11] + b"\0" + data[12:] + b";"
    _hush()
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        reason = " ".join(error.err.split())
        raise DecodeError(f"{source} can not be decoded: {reason}", hint="save it smaller, or as PNG") from error
    if pixels is None:
        hint = "copy or fetch it again, or save it as PNG"
        raise DecodeError(f"{source} is a damaged or unusual {header.format} file", hint=hint)
    return Image(np.ascontiguousarray(pixels, np.uint8), source)


def check_size(width: int, height: int, source: str, limits: Limits) -> None:
    """Raise DecodeError if a picture of this width and height in px has more pixels than limits.max_pixels."""
    if width * height > limits.max_pixels:
        message = f"{source} is too large: {width}x{height} pixels, the limit is {limits.max_pixels}"
        raise DecodeError(message, hint="raise {max_pixels} if you trust it", about="max_pixels")


def encode(pixels: UInt8Array, suffix: str) -> bytes:
    """(H, W, 3) uint8 RGB pixels -> the bytes of a file with this suffix.

    Raises UsageError for a suffix that is not written, OutputError for a picture that the format can not hold.
    """
    check_suffix(suffix)
    settings = _ENCODINGS[suffix.lower()]
    _hush()
    try:
        done, data = cv2.imencode(suffix.lower(), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), settings)
    except cv2.error:
        done = False
    if not done:
        size = f"{pixels.shape[1]}x{pixels.shape[0]}"
        raise OutputError(f"a {size} picture does not fit into a {suffix} file", hint="use .png")
    return data.tobytes()


def check_suffix(suffix: str) -> None:
    """Raise UsageError for a suffix that encode does not write, so that a command can refuse it before its work."""
    if suffix.lower() not in _ENCODINGS:
        raise UsageError(f"can not write a {suffix or 'nameless'} picture", hint=f"use {', '.join(_ENCODINGS)}")


def _hush() -> None:
    """Silence OpenCV's log, which repeats our errors on stderr in words of its own; not at import: others use cv2."""
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
