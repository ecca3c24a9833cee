"""The chunks of a PNG file (W3C, Portable Network Graphics, third edition), walked without inflating any of them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from facecli.pictures.facts import ALPHA_WEIGHT, Facts

SIGNATURE = b"\x89PNG\r\n\x1a\n"
WITH_ALPHA = (4, 6)  # colour types: grey and RGB, each with an alpha channel
MOST_CHUNKS = 2**17  # libpng writes 8 KB into each: four times as many as a file of the default limit has
# The chunks that pixels are made of. Texts and profiles inflate to a thousand times their size in libpng's memory.
NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"})
MOST_METADATA = 2**16  # bytes of all other chunks that are left to libpng


def facts(data: bytes) -> Facts:
    """Return a PNG's facts, once all chunks up to IEND have right checksums: for a wrong one libpng only prints.

    Raises struct.error for a truncated file, ValueError for a damaged or absurd one.
    """
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    frames, kind = 0, b""
    for kind, start, end in chunks(data):
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(memoryview(data)[start + 4 : end - 4]) != checksum:
            raise ValueError("a checksum does not fit")
        frames += kind == b"fcTL"
    if kind != b"IEND":
        raise ValueError(f"it has more than {MOST_CHUNKS} chunks")
    if colour not in WITH_ALPHA:
        return Facts(width, height, max(frames, 1), bits)
    return Facts(width, height, max(frames, 1), bits, ALPHA_WEIGHT * bits / 8, alpha=True)


def without_metadata(data: bytes) -> bytes:
    """Return a PNG whose `facts` were read without the chunks that no pixel needs, or as it is if they are small."""
    needed, size = [], len(SIGNATURE)
    end = size
    for kind, start, end in chunks(data):
        if kind in NEEDED:
            needed.append((start, end))
            size += end - start
    if end - size <= MOST_METADATA:
        return data
    view = memoryview(data)
    return b"".join((SIGNATURE, *(view[start:stop] for start, stop in needed)))


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, start and end of each chunk up to IEND, at most MOST_CHUNKS. Raises struct.error."""
    position = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        length, kind = struct.unpack_from(">I4s", data, position)
        start, position = position, position + 12 + length
        yield kind, start, position
        if kind == b"IEND":
            return
