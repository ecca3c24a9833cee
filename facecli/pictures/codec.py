"""Picture files to pixels and back, by OpenCV.

OpenCV alone would decode any size, ignore damage and print its own messages; what it refuses or can not hold becomes an
error of ours.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import partial
from typing import cast

import cv2
import numpy as np

from facecli.errors import DecodeError, OutputError, UsageError
from facecli.pictures import decoding, png, tiff
from facecli.pictures.headers import Header, read_header
from facecli.pictures.room import BYTES_PER_PIXEL
from facecli.system import native
from facecli.types import Image, Limits, UInt8Array

LEAST_MEMORY = 2**26  # bytes that a picture may always take
BRIGHTEST_OF_12_BITS = 15  # of 255, where 4095 of 65535 ends up

# How OpenCV and its codecs print, and what of it tells that a picture was decoded from damaged data. Bytes that are
# left over before a marker, as some cameras write them, do no harm, and neither does a profile that is wrong.
CODECS = re.compile(
    r"^libpng |^\[ ?(FATAL|ERROR|WARN|INFO):|OpenCV|JPEG|^Unknown Adobe|^Inconsistent progression|^Unsupported marker"
)
DAMAGE = re.compile(
    r"^Corrupt JPEG data: (?!\d+ extraneous bytes|bad ICC)|^Premature end of JPEG"
    r"|TIFF_Error|TIFF_Warning (JPEGLib: Corrupt|PackBitsDecode)"
)
# A few flipped bits end the coded data too early, and some cameras leave bytes behind it: nobody can tell which it is.
LEFT_OVER = re.compile(r"^Corrupt JPEG data: (\d+) extraneous bytes before marker 0xd[0-79]")

_ENCODINGS: dict[str, list[int]] = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".png": [],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95],
}


def inspect(data: bytes, source: str, limits: Limits) -> Header:
    """Return the header of a picture file whose decoding stays within the limits; no pixel is decoded.

    data: the whole file. source: its name in errors. Raises DecodeError as `decode` does.
    """
    header = read_header(data, source)
    check_size(header.width, header.height, source, limits)
    allowed = max(BYTES_PER_PIXEL * limits.max_pixels, LEAST_MEMORY)
    if (needed := memory_of(header, data)) > allowed:
        size = f"{header.width}x{header.height} pixels of this {header.format} file"
        message = f"{source} is too large: {size} take {needed} bytes to decode, the limit is {allowed}"
        raise DecodeError(message, hint="raise {max_pixels} if you trust it, or save it as JPEG", about="max_pixels")
    return header


def memory_of(header: Header, data: bytes) -> int:
    """Return the bytes that a picture file takes while it is decoded, itself included."""
    return len(data) + round(header.width * header.height * header.weight)


def decode(data: bytes, source: str, limits: Limits, header: Header | None = None) -> Image:
    """Return the upright RGB image in a picture file: the first frame of an animation, alpha dropped.

    The image tells what speaks for damage that was decoded all the same.

    data: the whole file. source: its name in the image and in errors. header: what `inspect` has returned for it.

    Raises DecodeError if the bytes are no picture, truncated or damaged, and, before any pixel is decoded, if they
    describe more than limits.max_pixels.
    """
    header = header or inspect(data, source, limits)
    image, said = native.listen(partial(_pixels, data, header, source), CODECS)
    if any(map(DAMAGE.search, said)):
        raise DecodeError(f"{source} is a damaged {header.format} file", hint="copy or fetch it again")
    if header.bits > 8:
        _refuse_unscaled(image)
    left = next(filter(None, map(LEFT_OVER.match, said)), None)
    return image if left is None else replace(image, damage=f"{left[1]} bytes of its coded data belong to no pixel")


def _pixels(data: bytes, header: Header, source: str) -> Image:
    """Return the image of a file whose header was read and is within the limits. Raises DecodeError."""
    match header.format:
        case "GIF":  # old files: OpenCV refuses a background outside the palette and a missing end
            data = data[:11] + b"\0" + data[12:] + b";"
        case "PNG":
            data = png.without_metadata(data)
        case "TIFF":
            try:
                tiff.check_sums(data)
            except ValueError as error:
                hint = "copy or fetch it again"
                raise DecodeError(f"{source} is a damaged {header.format} file: {error}", hint=hint) from error
    _silence_opencv()
    try:
        pixels = _decoded(data, header, source, oriented=b"eXIf" in data or b"EXIF" in data)
    except cv2.error as error:
        reason = " ".join(error.err.split())
        raise DecodeError(f"{source} can not be decoded: {reason}", hint="save it smaller, or as PNG") from error
    if pixels is None:
        hint = "copy or fetch it again, or save it as PNG"
        raise DecodeError(f"{source} is a damaged or unusual {header.format} file", hint=hint)
    return Image(np.ascontiguousarray(pixels, np.uint8), source, header.frames)


def _decoded(data: bytes, header: Header, source: str, *, oriented: bool) -> UInt8Array | None:
    """Return the RGB pixels of a picture file, None if it is damaged; raise DecodeError if none of them is seen.

    oriented: it may have an EXIF orientation, which OpenCV only heeds where it drops the alpha channel.
    """
    size, kind = header.width * header.height, header.format
    if header.alpha:
        layers = decoding.decoded(data, cv2.IMREAD_UNCHANGED, size, kind)
        if layers is not None and layers.ndim == 3 and layers.shape[2] == 4 and not layers[..., 3].any():
            hint = "save it without its alpha channel, if what that hides is meant"
            raise DecodeError(f"{source} is fully transparent", hint=hint)
        plain = layers is not None and layers.dtype == np.uint8 and layers.ndim == 3 and not oriented
        if layers is not None and plain and size < decoding.LARGE:
            return cast("UInt8Array", cv2.cvtColor(layers, cv2.COLOR_BGRA2RGB))
        del layers  # a large picture is decoded once more, rather than held with and without the channel
    return decoding.decoded(data, cv2.IMREAD_COLOR_RGB, size, kind)


def _refuse_unscaled(image: Image) -> None:
    """Raise DecodeError for numbers of 10 or 12 bits in a file of 16: cameras of laboratories write them unscaled."""
    if 0 < image.pixels.max() <= BRIGHTEST_OF_12_BITS:
        message = f"{image.source} is nearly black: it has numbers of at most 12 bits in a file of 16"
        raise DecodeError(message, hint="scale them to 0 to 65535, or save it with 8 bits")


def check_size(width: int, height: int, source: str, limits: Limits) -> None:
    """Raise DecodeError if a picture of this width and height in px has more pixels than limits.max_pixels."""
    if width * height > limits.max_pixels:
        message = f"{source} is too large: {width}x{height} pixels, the limit is {limits.max_pixels}"
        raise DecodeError(message, hint="raise {max_pixels} if you trust it", about="max_pixels")


def encode(pixels: UInt8Array, suffix: str) -> bytes:
    """Return the bytes of a picture file for (H, W, 3) uint8 RGB pixels.

    suffix: of the file, such as ".png"; it chooses the format.

    Raises UsageError for a suffix without encoder, OutputError for pixels that the format can not hold.
    """
    return encode_with(pixels, suffix)


def encode_with(pixels: UInt8Array, suffix: str, profile: bytes = b"") -> bytes:
    """Return what `encode` returns, with an ICC colour profile. pixels: (H, W, 3) RGB, or (H, W, 4) RGB and alpha."""
    check_suffix(suffix)
    settings = _ENCODINGS[suffix.lower()]
    _silence_opencv()
    order = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    kinds, chunks = ([cv2.IMAGE_METADATA_ICCP], [np.frombuffer(profile, np.uint8)]) if profile else ([], [])
    try:
        encoded, data = cv2.imencodeWithMetadata(suffix.lower(), cv2.cvtColor(pixels, order), kinds, chunks, settings)
    except cv2.error:
        encoded = False
    if not encoded:
        size = f"{pixels.shape[1]}x{pixels.shape[0]}"
        raise OutputError(f"a {size} picture does not fit into a {suffix} file", hint="use .png")
    return data.tobytes()


def check_suffix(suffix: str) -> None:
    """Raise UsageError for a suffix without encoder; for callers that refuse it before their work begins."""
    if suffix.lower() not in _ENCODINGS:
        raise UsageError(f"can not write a {suffix or 'nameless'} picture", hint=f"use {', '.join(_ENCODINGS)}")


def _silence_opencv() -> None:
    """Switch off OpenCV's log, which would print errors that we raise, unless its warnings are listened to.

    Not at import: others in the process use cv2.
    """
    if "OPENCV_LOG_LEVEL" not in os.environ:
        levels = cv2.utils.logging
        levels.setLogLevel(levels.LOG_LEVEL_SILENT if native.messages is None else levels.LOG_LEVEL_WARNING)
