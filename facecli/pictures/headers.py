"""Format, size and completeness of a picture file, read from its header before any pixel is decoded.

A header of a few bytes can describe a picture of gigabytes, and OpenCV decodes what is left of a truncated file without
a word. Both are refused here. Walking a file's segments is also all that tells a thumbnail from the picture.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from facecli.errors import DecodeError
from facecli.pictures import jpeg, png, tiff
from facecli.pictures.facts import ALPHA_WEIGHT, Facts, UnreadError
from facecli.pictures.foreign import kind_of

MOST_BLOCKS = 2**21  # of a GIF: writers fill each with 255 bytes, which makes a file of 0.5 GB
MOST_CHUNKS = 2**17  # of a WebP file, with one frame of an animation in each
GIF_WEIGHT = 8.3  # bytes per pixel; see facts.Facts


class Header(NamedTuple):
    """The format's name, and the facts that the file states; see facts.Facts."""

    format: str
    width: int
    height: int
    frames: int
    bits: int
    weight: float
    alpha: bool


def read_header(data: bytes, source: str) -> Header:
    """Return the header of a picture file; raise DecodeError if it is empty, truncated, damaged or of no known format.

    data: the whole file. source: its name in errors.
    """
    if not data:
        raise DecodeError(f"{source} is empty: 0 bytes", hint="copy or fetch it again")
    for name, signature, offset, read_facts in _FORMATS:
        if data.startswith(signature, offset):
            return _header(data, source, name, read_facts)
    raise DecodeError(f"{source} is {kind_of(data)}, not a picture that is read", hint=f"convert it to {KNOWN}")


def _header(data: bytes, source: str, name: str, read_facts: Callable[[bytes], Facts]) -> Header:
    """Return the header with the facts that a format's reader gives; turn the reader's exceptions into DecodeError.

    read_facts: raises EOFError or struct.error for a truncated file, UnreadError for one of a kind that is not read,
    ValueError for a damaged one.
    """
    try:
        facts = read_facts(data)
    except (EOFError, struct.error) as error:
        raise DecodeError(f"{source} is a truncated {name} file", hint="copy or fetch it again") from error
    except UnreadError as error:
        raise DecodeError(f"{source} is {error}", hint=error.hint) from error
    except ValueError as error:
        raise DecodeError(f"{source} is a damaged {name} file: {error}", hint="copy or fetch it again") from error
    if facts.width < 1 or facts.height < 1:
        size = f"{facts.width}x{facts.height}"
        raise DecodeError(f"{source} is a damaged {name} file: its size is {size}", hint="export it again")
    return Header(name, *facts)


def _webp(data: bytes) -> Facts:
    """Return the facts of a WebP: extended, lossless or lossy (RFC 9649)."""
    if len(data) < 8 + struct.unpack_from("<I", data, 4)[0]:
        raise EOFError
    match data[12:16]:
        case b"VP8X":
            width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
            frames, alpha = max(_webp_frames(data), 1), bool(data[20] & 0x10)
            return Facts(width, height, frames, weight=ALPHA_WEIGHT, alpha=alpha)
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            alpha = bool(bits >> 28 & 1)
            return Facts(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), weight=ALPHA_WEIGHT, alpha=alpha)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return Facts(width & 0x3FFF, height & 0x3FFF)
    raise ValueError("it does not begin with picture data")


def _webp_frames(data: bytes) -> int:
    """Return how many frames of an animation a WebP file holds; 0 for a still picture."""
    frames, position = 0, 12
    for _ in range(MOST_CHUNKS):
        if position + 8 > len(data):
            return frames
        kind, length = struct.unpack_from("<4sI", data, position)
        frames += kind == b"ANMF"
        position += 8 + length + length % 2
    raise ValueError(f"it has more than {MOST_CHUNKS} chunks")


def _gif(data: bytes) -> Facts:
    """Return a GIF's facts: the size is that of its logical screen."""
    width, height = struct.unpack_from("<HH", data, 6)
    return Facts(width, height, max(_gif_frames(data), 1), weight=GIF_WEIGHT)


def _gif_frames(data: bytes) -> int:
    """Return how many frames a GIF holds, as far as it goes: old writers leave the end out (CompuServe, GIF89a)."""
    frames, blocks = 0, iter(range(MOST_BLOCKS))
    try:
        position = 13 + _palette(data[10])
        while (kind := data[position]) in b"!,":
            frames += kind == ord(",")
            # An extension has one byte behind its kind; a frame has a descriptor, a palette and the size of its codes.
            position += 2 if kind == ord("!") else 11 + _palette(data[position + 9])
            length = None
            while length != 0:  # the last block is an empty one
                if next(blocks, None) is None:
                    raise ValueError(f"it has more than {MOST_BLOCKS} blocks")
                length = data[position]
                position += 1 + length
    except IndexError:
        pass
    return frames


def _palette(flags: int) -> int:
    """Return the bytes of the palette that the flags of a GIF's screen or frame announce."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _bmp(data: bytes) -> Facts:
    """Return a BMP's facts, from the OS/2 or any of the Windows headers."""
    (length,) = struct.unpack_from("<I", data, 14)
    if length not in (12, 40, 52, 56, 64, 108, 124):
        raise ValueError("its header is of no known kind")
    width, height = struct.unpack_from("<HH" if length == 12 else "<ii", data, 18)
    return Facts(width, abs(height))  # a negative height means rows from the top down


_PNM = re.compile(rb"P([1-6])(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})(?:(?:\s|#[^\n]*\n)+(\d{1,5}))?\s")


def _pnm(data: bytes) -> Facts:
    """Return the facts of a PBM, PGM or PPM, comments in whose header are skipped (netpbm, ppm(5))."""
    match = _PNM.match(data, 0, 2**16)
    if not match:
        raise ValueError("its header can not be read")
    kind, width, height, peak = match.groups()
    if kind in b"56" and int(peak or 0) not in (255, 65535):  # OpenCV would show 4095 as nearly black
        raise ValueError(f"its brightest value is {int(peak or 0)}, and only 255 and 65535 are read")
    return Facts(int(width), int(height))


# Name, the bytes that a file begins with, where they stand, and what reads the facts.
_FORMATS: tuple[tuple[str, bytes, int, Callable[[bytes], Facts]], ...] = (
    ("JPEG", b"\xff\xd8\xff", 0, jpeg.facts),
    ("PNG", png.SIGNATURE, 0, png.facts),
    ("WebP", b"WEBP", 8, _webp),
    ("GIF", b"GIF87a", 0, _gif),
    ("GIF", b"GIF89a", 0, _gif),
    ("TIFF", b"II*\0", 0, tiff.facts),
    ("TIFF", b"MM\0*", 0, tiff.facts),
    ("TIFF", b"II+\0", 0, tiff.facts),
    ("TIFF", b"MM\0+", 0, tiff.facts),
    ("BMP", b"BM", 0, _bmp),
    *(("PNM", b"P%d%c" % (kind, space), 0, _pnm) for kind in range(1, 7) for space in b" \t\r\n#"),
)
KNOWN = "JPEG, PNG, WebP, GIF, TIFF, BMP or PNM"
