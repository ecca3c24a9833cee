"""The first directory of a TIFF file, which EXIF is one of: how the picture lies, and what else there is."""

from __future__ import annotations

import struct
from typing import NamedTuple

MOST_ENTRIES = 10_000
_ORIENTATION = 0x0112
_KINDS = {0x8769: "EXIF", 0x8825: "GPS position", 0x02BC: "XMP", 0x83BB: "IPTC"}  # tags of EXIF 3.0 and TIFF 6.0


class Directory(NamedTuple):
    """Its facts. orientation: 1 to 8. kinds: what there is, in words; a second picture is a thumbnail."""

    orientation: int
    kinds: list[str]


def first_directory(block: bytes) -> Directory:
    """Return the facts of a TIFF file's first directory. Raises struct.error, KeyError for a damaged one."""
    order = {b"II": "<", b"MM": ">"}[block[:2]]
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    (count,) = struct.unpack_from(f"{order}H", block, start)
    orientation, kinds = 1, []
    for entry in range(min(count, MOST_ENTRIES)):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", block, start + 2 + 12 * entry)
        if tag == _ORIENTATION and 1 <= value <= 8:
            orientation = value
        if tag in _KINDS:
            kinds.append(_KINDS[tag])
    (following,) = struct.unpack_from(f"{order}I", block, start + 2 + 12 * count)
    return Directory(orientation, [*kinds, "thumbnail"] if following else kinds)
