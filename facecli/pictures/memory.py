"""Pictures that a Python program already holds: bytes of a picture file, an array of pixels, or a Pillow image.

The command line reads pictures by name alone; a Python program often has them in memory, from a camera or a database.
Pillow is not imported and need not be installed: its images are recognised by the name of their class.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from facecli.errors import DecodeError, InputError, UsageError
from facecli.pictures.codec import check_size
from facecli.pictures.sources import Source, single, too_large
from facecli.types import Image, Limits, UInt8Array

EXPECTED = "RGB (H, W, 3) uint8"
EXIF_ORIENTATION = 0x0112
# Modes whose values need more than 8 bits: Pillow clips them to 255 where it converts them to RGB.
DEEP_MODES = ("I", "F")


def open_any(value: object, limits: Limits | None = None) -> Source | Image:
    """Return the picture that a value stands for: a Source that is still to be read, or a decoded Image.

    value: a path or URL (str or os.PathLike), the bytes of a picture file, an RGB (H, W, 3) uint8 array, a Pillow
    image, or a Source or Image, which are returned unchanged.
    limits: the largest picture that is accepted; the defaults of Limits if None.

    Raises InputError for an array or a Pillow image that can not be used, UsageError for any other value.
    """
    match value:
        case Source() | Image():
            return value
        case str() | os.PathLike():
            return single(os.fsdecode(value))
        case bytes() | bytearray() | memoryview():
            return from_bytes(value)
        case np.ndarray():
            return from_array(value, limits=limits)
    if _is_pillow_image(value):
        return from_pil(value, limits=limits)
    hint = f"give a path, a URL, bytes, a PIL image or an {EXPECTED} array"
    raise UsageError(f"{type(value).__name__} is not a picture", hint=hint)


def from_bytes(data: bytes | bytearray | memoryview, name: str = "bytes") -> Source:
    """Return the source of a picture file's bytes; a later change of a bytearray does not reach it."""
    content = bytes(data)

    def read(name: str, limits: Limits, _large: Callable[[], None]) -> bytes:
        if len(content) > limits.max_bytes:
            raise too_large(name, limits)
        return content

    return Source(name, read)


def from_array(pixels: np.ndarray[Any, Any], name: str = "array", *, limits: Limits | None = None) -> Image:
    """Return the image of an RGB (H, W, 3) uint8 array, which is copied only if its memory is not contiguous.

    Raises InputError for another shape or dtype and for an array without pixels, DecodeError for more pixels than
    limits.max_pixels.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        message = f"{name} is {pixels.shape} {pixels.dtype}, not {EXPECTED}"
        raise InputError(message, hint=_conversion(pixels))
    height, width = pixels.shape[:2]
    _check(width, height, name, limits)
    return Image(np.ascontiguousarray(pixels), name)


def from_pil(picture: Any, name: str | None = None, *, limits: Limits | None = None) -> Image:
    """Return the image of a Pillow image: as RGB, alpha dropped, EXIF orientation applied.

    name: the name of the file that Pillow opened, or "picture", if None.

    Raises InputError for values of more than 8 bits and for an image without pixels, DecodeError for one that Pillow
    can not decode and for more pixels than limits.max_pixels.
    """
    name = name or str(getattr(picture, "filename", "") or "picture")
    if picture.mode.startswith(DEEP_MODES):
        hint = "scale its values to 0 to 255 and convert it to RGB"
        raise InputError(f"{name} has pixels of mode {picture.mode}, not of 8 bits", hint=hint)
    width, height = picture.size
    _check(width, height, name, limits)
    try:
        picture.load()  # before the orientation is read: Pillow turns a TIFF while it loads it
        orientation = picture.getexif().get(EXIF_ORIENTATION, 1)
        converted = picture.convert("RGB")
        data = bytearray(converted.tobytes())
    except Exception as error:
        hint = "open it again, or save it as PNG"
        raise DecodeError(f"{name} can not be decoded: {' '.join(str(error).split())}", hint=hint) from error
    pixels = np.frombuffer(data, np.uint8).reshape(converted.height, converted.width, 3)
    return Image(np.ascontiguousarray(_upright(pixels, orientation)), name)


def _is_pillow_image(value: object) -> bool:
    return any(cls.__module__ == "PIL.Image" and cls.__name__ == "Image" for cls in type(value).__mro__)


def _check(width: int, height: int, name: str, limits: Limits | None) -> None:
    if width < 1 or height < 1:
        raise InputError(f"{name} is empty: {width}x{height} pixels", hint=f"give {EXPECTED} pixels")
    check_size(width, height, name, limits or Limits())


def _conversion(pixels: np.ndarray[Any, Any]) -> str:
    """Return a hint at how to turn an array into RGB (H, W, 3) uint8."""
    if pixels.dtype != np.uint8:
        return "scale its values to 0 to 255 and use .astype('uint8')"
    if pixels.ndim == 2 or pixels.shape[2:] == (1,):
        return "repeat the grey channel: numpy.dstack([grey] * 3)"
    if pixels.shape[2:] == (4,):
        return "leave the alpha channel out: pixels[..., :3]"
    if pixels.ndim == 3 and pixels.shape[0] == 3:
        return "put the channels last: pixels.transpose(1, 2, 0)"
    return f"give one picture as {EXPECTED}"


def _upright(pixels: UInt8Array, orientation: int) -> UInt8Array:
    """Return (H, W, 3) pixels turned and mirrored as an EXIF orientation, 1 to 8, demands (Exif 2.32, 4.6.4 A)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
