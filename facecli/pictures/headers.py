"""Format, size and completeness of a picture file, read from its header before any pixel is decoded.

A header of a few bytes can describe a picture of gigabytes, and OpenCV decodes what is left of a truncated file without
a word. Both are refused here. Walking a file's segments is also all that tells a thumbnail from the picture.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from facecli.errors import DecodeError
from facecli.pictures.foreign import kind_of

Size = tuple[int, int]


class Header(NamedTuple):
    """The format's name, and width and height in px as stored; an EXIF orientation may still swap them."""

    format: str
    width: int
    height: int


def read_header(data: bytes, source: str) -> Header:
    """Return the header of a picture file; raise DecodeError if it is empty, truncated, damaged or of no known format.

    data: the whole file. source: its name in errors.
    """
    if not data:
        raise DecodeError(f"{source} is empty: 0 bytes", hint="copy or fetch it again")
    for name, signature, offset, read_size in _FORMATS:
        if data.startswith(signature, offset):
            return _header(data, source, name, read_size)
    raise DecodeError(f"{source} is {kind_of(data)}, not a picture that is read", hint=f"convert it to {KNOWN}")


def _header(data: bytes, source: str, name: str, read_size: Callable[[bytes], Size]) -> Header:
    """Return the header with the size that a format's reader gives; turn the reader's exceptions into DecodeError.

    read_size: raises EOFError or struct.error for a truncated file, ValueError for a damaged one.
    """
    try:
        width, height = read_size(data)
    except (EOFError, struct.error) as error:
        raise DecodeError(f"{source} is a truncated {name} file", hint="copy or fetch it again") from error
    except ValueError as error:
        raise DecodeError(f"{source} is a damaged {name} file: {error}", hint="copy or fetch it again") from error
    if width < 1 or height < 1:
        raise DecodeError(f"{source} is a damaged {name} file: its size is {width}x{height}", hint="export it again")
    return Header(name, width, height)


# In coded JPEG data, FF 00 is an escaped FF, FF D0..D7 are restarts and FF FF is padding; anything else is a marker.
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _jpeg(data: bytes) -> Size:
    """Return a JPEG's size, walking from segment to segment: thumbnails inside and data behind do not count."""
    size, position = None, 2
    while match := _JPEG_MARKER.search(data, position):
        marker, position = data[match.start() + 1], match.end()
        if marker == 0xD9:
            if size is None:
                raise ValueError("it has no frame")
            return size
        if marker in (0x01, 0xD8):  # these two have no body
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if marker in _JPEG_FRAMES and size is None:
            height, width = struct.unpack_from(">HH", data, position + 3)
            size = width, height
        position += length
    raise EOFError


def _png(data: bytes) -> Size:
    """Return a PNG's size, once all chunks up to IEND have right checksums: for a wrong one libpng only prints."""
    size: Size = struct.unpack_from(">II", data, 16)
    kind, position = b"", 8
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(memoryview(data)[position + 4 : end]) != checksum:
            raise ValueError("a checksum does not fit")
        position = end + 4
    return size


def _webp(data: bytes) -> Size:
    """Return a WebP's size: extended, lossless or lossy (RFC 9649)."""
    if len(data) < 8 + struct.unpack_from("<I", data, 4)[0]:
        raise EOFError
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    raise ValueError("it does not begin with picture data")


def _gif(data: bytes) -> Size:
    """Return a GIF's size, that of its logical screen."""
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _bmp(data: bytes) -> Size:
    """Return a BMP's size, from the OS/2 or any of the Windows headers."""
    (length,) = struct.unpack_from("<I", data, 14)
    if length not in (12, 40, 52, 56, 64, 108, 124):
        raise ValueError("its header is of no known kind")
    width, height = struct.unpack_from("<HH" if length == 12 else "<ii", data, 18)
    return width, abs(height)  # a negative height means rows from the top down


def _tiff(data: bytes) -> Size:
    """Return a TIFF's size, from the tags of the first directory, in either byte order, classic or BigTIFF."""
    order = "<" if data[:2] == b"II" else ">"
    big = 43 in data[2:4]
    (directory,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, min(directory, len(data)))
    first, step, value = (8, 20, 12) if big else (2, 12, 8)
    sides: dict[int, int] = {}  # tag 256 is the width, 257 the height
    for entry in range(directory + first, directory + first + step * min(count, 4096), step):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in (256, 257):
            (sides[tag],) = struct.unpack_from(order + {3: "H", 4: "I", 16: "Q"}.get(kind, "I"), data, entry + value)
    return sides.get(256, 0), sides.get(257, 0)


_PNM = re.compile(rb"P([1-6])(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})(?:(?:\s|#[^\n]*\n)+(\d{1,5}))?\s")


def _pnm(data: bytes) -> Size:
    """Return the size of a PBM, PGM or PPM, comments in whose header are skipped (netpbm, ppm(5))."""
    match = _PNM.match(data, 0, 2**16)
    if not match:
        raise ValueError("its header can not be read")
    kind, width, height, peak = match.groups()
    if kind in b"56" and int(peak or 0) not in (255, 65535):  # OpenCV would show 4095 as nearly black
        raise ValueError(f"its brightest value is {int(peak or 0)}, and only 255 and 65535 are read")
    return int(width), int(height)


# Name, the bytes that a file begins with, where they stand, and what reads the size.
_FORMATS: tuple[tuple[str, bytes, int, Callable[[bytes], Size]], ...] = (
    ("JPEG", b"\xff\xd8\xff", 0, _jpeg),
    ("PNG", b"\x89PNG\r\n\x1a\n", 0, _png),
    ("WebP", b"WEBP", 8, _webp),
    ("GIF", b"GIF87a", 0, _gif),
    ("GIF", b"GIF89a", 0, _gif),
    ("TIFF", b"II*\0", 0, _tiff),
    ("TIFF", b"MM\0*", 0, _tiff),
    ("TIFF", b"II+\0", 0, _tiff),
    ("TIFF", b"MM\0+", 0, _tiff),
    ("BMP", b"BM", 0, _bmp),
    *(("PNM", b"P%d%c" % (kind, space), 0, _pnm) for kind in range(1, 7) for space in b" \t\r\n#"),
)
KNOWN = "JPEG, PNG, WebP, GIF, TIFF, BMP or PNM"
