"""The directories of a TIFF file (Adobe, TIFF 6.0; BigTIFF), and the camera files that look like one.

DNG, NEF, ARW and CR2 are TIFF files whose first directory is a small preview: OpenCV would take that for the picture.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from facecli.pictures.facts import Facts, UnreadError

MOST_PAGES = 10_000
MOST_ENTRIES = 4096  # of a directory; there are some hundred kinds
# Tags, by their numbers in TIFF 6.0 and in Adobe's DNG specification
SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, COLOURS, SAMPLES = 254, 256, 257, 258, 259, 262, 277
SAMPLE_FORMAT, DNG = 339, 50706
PLACES = ((273, 279), (324, 325))  # offsets and lengths of the packed pixels: of strips, of tiles
REDUCED = 1  # bit of SUBFILE: a smaller copy of another picture in this file
CIELAB, FLOATS = 8, 3  # values of COLOURS and of SAMPLE_FORMAT
DEFLATE = (8, 32946)  # of COMPRESSION
PACKERS = {34925: "LZMA", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL"}  # of COMPRESSION
MOST_BYTES = 16  # that the samples of a pixel take before they are packed: 8 channels of 16 bits
CHUNK = 2**20  # bytes that are unpacked at once
WEIGHT, RGBA_WEIGHT = 8.1, 12.1  # bytes per pixel; see facts.Facts
_FORMATS = {1: "B", 3: "H", 4: "I", 16: "Q"}


def facts(data: bytes) -> Facts:
    """Return a TIFF's facts, in either byte order, classic or BigTIFF.

    Raises EOFError or struct.error for a truncated file, ValueError for a damaged one, UnreadError for a camera's raw
    file and for kinds that OpenCV does not read or shows in wrong colours.
    """
    file, directory = _opened(data)
    tags = file.tags(directory)
    _refuse(data, tags)
    weight = RGBA_WEIGHT if tags.get(SAMPLES, 1) > 3 else WEIGHT
    return Facts(tags.get(WIDTH, 0), tags.get(HEIGHT, 0), file.pages(directory), tags.get(BITS, 1), weight)


def check_sums(data: bytes) -> None:
    """Raise ValueError if pixels packed by deflate have not the checksum behind them, which libtiff does not look at.

    data: a file whose facts were read. No more is unpacked than its pixels take.
    """
    file, directory = _opened(data)
    tags = file.tags(directory)
    if tags.get(COMPRESSION, 1) not in DEFLATE:
        return
    left = tags[WIDTH] * tags[HEIGHT] * MOST_BYTES
    for offsets, lengths in PLACES:
        for start, length in zip(file.values(directory, offsets), file.values(directory, lengths), strict=False):
            left -= _unpacked(data[start : start + length], left)


def _unpacked(packed: bytes, most: int) -> int:
    """Return the bytes that a zlib stream (RFC 1950) unpacks to; at most `most` are. Raises ValueError for damage."""
    unpacker, size = zlib.decompressobj(), 0
    try:
        while packed and not unpacker.eof and size < most:
            size += len(unpacker.decompress(packed, CHUNK))
            packed = unpacker.unconsumed_tail
    except zlib.error as error:
        raise ValueError("its pixels do not agree with their checksum") from error
    return size


def _opened(data: bytes) -> tuple[_File, int]:
    """Return a TIFF file and the place of its first directory."""
    file = _File(data, "<" if data[:2] == b"II" else ">", big=43 in data[2:4])
    return file, file.number("Q" if file.big else "I", 8 if file.big else 4)


@dataclass(frozen=True, slots=True)
class _File:
    """A TIFF file. order: of the bytes, as struct writes it. big: BigTIFF, with numbers of 8 bytes for 4."""

    data: bytes
    order: str
    big: bool

    def number(self, kind: str, position: int) -> int:
        value: int = struct.unpack_from(self.order + kind, self.data, min(position, len(self.data)))[0]
        return value

    def tags(self, directory: int) -> dict[int, int]:
        """Return the first value of each tag that is a whole number."""
        return {tag: self.number(code, place) for tag, code, _, place in self._entries(directory)}

    def values(self, directory: int, wanted: int) -> tuple[int, ...]:
        """Return all values of a tag, as many of them as the file can hold; none if it is not there."""
        for tag, code, length, place in self._entries(directory):
            if tag == wanted:
                count = min(length, (len(self.data) - place) // struct.calcsize(code))
                return struct.unpack_from(f"{self.order}{count}{code}", self.data, place)
        return ()

    def _entries(self, directory: int) -> Iterator[tuple[int, str, int, int]]:
        """Yield of each tag that is whole numbers: itself, how struct writes one, how many, and where they stand."""
        count = self.number("Q" if self.big else "H", directory)
        first, step, start = (8, 20, 12) if self.big else (2, 12, 8)
        for number in range(min(count, MOST_ENTRIES)):
            entry = directory + first + step * number
            tag, kind, length = struct.unpack_from(self.order + ("HHQ" if self.big else "HHI"), self.data, entry)
            if code := _FORMATS.get(kind):
                inside = length * struct.calcsize(code) <= (8 if self.big else 4)
                place = entry + start
                yield tag, code, length, place if inside else self.number("Q" if self.big else "I", place)

    def pages(self, directory: int) -> int:
        """Return the length of the chain of directories up to its first gap. Raises ValueError for one without end."""
        for page in range(MOST_PAGES):
            try:
                count = self.number("Q" if self.big else "H", directory)
                behind = directory + (8 + 20 * count if self.big else 2 + 12 * count)
                directory = self.number("Q" if self.big else "I", behind)
            except struct.error:  # the pages behind the first one do not matter
                return max(page, 1)
            if directory == 0:
                return page + 1
        raise ValueError(f"it has more than {MOST_PAGES} pages")


def _refuse(data: bytes, tags: dict[int, int]) -> None:
    """Raise UnreadError for a file whose first directory OpenCV does not read as its owner means it."""
    if DNG in tags or data[8:10] == b"CR":
        raise UnreadError("a camera's raw file, not a picture that is read", "develop it to JPEG or TIFF first")
    if tags.get(SUBFILE, 0) & REDUCED:
        what = "a camera's raw file, or a TIFF that begins with a preview, not a picture that is read"
        raise UnreadError(what, "develop it to JPEG or TIFF first")
    if tags.get(COLOURS) == CIELAB:
        raise UnreadError("a TIFF file with CIELAB colours, which are not read", "convert it to RGB")
    if tags.get(SAMPLE_FORMAT, 1) == FLOATS or tags.get(BITS, 1) > 16:
        bits, kind = tags.get(BITS, 1), "floats" if tags.get(SAMPLE_FORMAT) == FLOATS else "numbers"
        raise UnreadError(f"a TIFF file with {bits}-bit {kind}, which are not read", "save it with 8 or 16 bits")
    if packer := PACKERS.get(tags.get(COMPRESSION, 1)):
        raise UnreadError(f"a TIFF file packed by {packer}, which is not read", "save it with LZW or deflate")
