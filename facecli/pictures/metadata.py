"""Facts that a picture file holds beside its pixels: who, where, with what, and a small copy of how it once was.

Only what a reader is told by name is looked for; files are walked, nothing is decoded, a damaged part is passed over.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from facecli.pictures import exif, png

MOST_PROFILE = 4 * 2**20  # bytes of a colour profile, inflated
MOST_PARTS = 10_000  # segments or chunks that are looked at
_XMP_START = b"http://ns.adobe.com/xap/1.0/\0"
_PROFILE_START = b"ICC_PROFILE\0"


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of one file.

    kinds: what there is of EXIF, GPS position, thumbnail, XMP, IPTC, text, time, further pictures, and data behind the
    picture, in words. orientation: 1 to 8 as EXIF has it. profile: the ICC colour profile of RGB, or nothing. alpha:
    whether there is transparency.
    """

    kinds: tuple[str, ...] = ()
    orientation: int = 1
    profile: bytes = b""
    alpha: bool = False


def metadata_of(data: bytes, form: str) -> Metadata:
    """Return the metadata of a picture file that was found whole. form: its format's name, as in Header.format."""
    reader = {"JPEG": _jpeg, "PNG": _png, "WebP": _webp, "TIFF": _tiff}.get(form)
    found = _Found()
    if reader is not None:
        with suppress(struct.error, IndexError, zlib.error):
            reader(data, found)
    profile = found.profile if found.profile[16:20] == b"RGB " else b""
    return Metadata(tuple(dict.fromkeys(found.kinds)), found.orientation, profile, found.alpha)


class _Found:
    """Metadata as it is found."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.orientation, self.profile, self.alpha = 1, b"", False

    def exif(self, block: bytes) -> None:
        """Take a block of EXIF: a TIFF file without a picture."""
        self.kinds.append("EXIF")
        with suppress(struct.error, KeyError):
            self.directory(block)

    def directory(self, block: bytes) -> None:
        """Take the first directory of a TIFF file. Raises struct.error, KeyError for a damaged one."""
        first = exif.first_directory(block)
        self.orientation = first.orientation
        self.kinds += first.kinds


def _jpeg(data: bytes, found: _Found) -> None:
    profile: dict[int, bytes] = {}
    for marker, body in _segments(data):
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            found.exif(body[6:])
        elif marker == 0xE1 and body.startswith(_XMP_START):
            found.kinds.append("XMP")
        elif marker == 0xE2 and body.startswith(_PROFILE_START):
            profile[body[len(_PROFILE_START)]] = body[len(_PROFILE_START) + 2 :]
        elif marker == 0xE2 and body.startswith(b"MPF\0"):
            found.kinds.append("further pictures")
        elif marker == 0xED:
            found.kinds.append("IPTC")
        elif marker == 0xFE:
            found.kinds.append("text")
    found.profile = b"".join(profile[part] for part in sorted(profile))[:MOST_PROFILE]
    if len(data) > data.rfind(b"\xff\xd9") + 2:
        found.kinds.append("data behind the picture")


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and body of the segments before a JPEG's pixels (ITU-T T.81, annex B)."""
    position = 2
    for _ in range(MOST_PARTS):
        while data[position : position + 2] == b"\xff\xff":
            position += 1
        _, marker, length = struct.unpack_from(">BBH", data, position)
        if marker in (0xDA, 0xD9):
            return
        yield marker, data[position + 4 : position + 2 + length]
        position += 2 + length


def _png(data: bytes, found: _Found) -> None:
    for kind, start, end in png.chunks(data):
        if kind == b"IHDR":
            found.alpha |= data[start + 17] in (4, 6)
        elif kind == b"tRNS":
            found.alpha = True
        elif kind == b"eXIf":
            found.exif(data[start + 8 : end - 4])
        elif kind == b"iCCP":
            packed = data[start + 8 : end - 4].partition(b"\0")[2][1:]
            found.profile = zlib.decompressobj().decompress(packed, MOST_PROFILE)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            found.kinds.append("XMP" if data.startswith(b"XML:com.adobe.xmp\0", start + 8) else "text")
        elif kind == b"tIME":
            found.kinds.append("time")
        last = end
    if len(data) > last:
        found.kinds.append("data behind the picture")


def _webp(data: bytes, found: _Found) -> None:
    position, size = 12, 8 + int.from_bytes(data[4:8], "little")
    for _ in range(MOST_PARTS):
        if position + 8 > min(size, len(data)):
            break
        kind, length = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + length]
        if kind == b"VP8X":
            found.alpha |= bool(body[0] & 0x10)
        elif kind == b"VP8L":
            found.alpha |= bool(body[4] & 0x10)
        elif kind == b"EXIF":
            found.exif(body.removeprefix(b"Exif\0\0"))
        elif kind == b"XMP ":
            found.kinds.append("XMP")
        elif kind == b"ICCP":
            found.profile = body[:MOST_PROFILE]
        position += 8 + length + length % 2
    if len(data) > size + size % 2:
        found.kinds.append("data behind the picture")


def _tiff(data: bytes, found: _Found) -> None:
    if data[2:4] in (b"*\0", b"\0*"):
        found.directory(data)
        found.kinds = ["further pictures" if kind == "thumbnail" else kind for kind in found.kinds]
