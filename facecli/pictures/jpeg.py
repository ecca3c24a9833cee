"""The segments of a JPEG file (ITU-T T.81, annex B), walked without decoding a pixel.

A file of a few kilobytes may ask for work of hours: each scan of a progressive JPEG goes over all pixels once more. So
scans and segments are counted, and more of them than any camera or editor writes are refused.
"""

from __future__ import annotations

import re
import struct

from facecli.pictures.facts import Facts

MOST_SCANS = 100  # libjpeg's script for progressive files has 10, mozjpeg's search for the smallest file up to 64
MOST_SEGMENTS = 10_000  # each has up to 64 KB, so that this is more than a file of the default limit has use for
MOST_PADDING = 2**16  # bytes of junk between two segments, which libjpeg skips
WINDOW = 2**24  # bytes of coded data that are searched at once: Python answers no signal meanwhile

# In coded data, FF 00 is an escaped FF, FF D0..D7 are restarts and FF FF is padding; anything else is a marker.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BODILESS = (0x01, 0xD8)
_SCAN, _END = 0xDA, 0xD9


def facts(data: bytes) -> Facts:
    """Return a JPEG's facts, walking from segment to segment: thumbnails inside and data behind do not count.

    Raises EOFError or struct.error for a truncated file, ValueError for a damaged or absurd one.
    """
    found: Facts | None = None
    coefficients = 0.0
    position, scans = 2, 0
    for _ in range(MOST_SEGMENTS):
        marker, position = _next_marker(data, position, coded=scans > 0)
        if marker == _END:
            if found is None:
                raise ValueError("it has no frame")
            # Libjpeg keeps all coefficients of a picture that comes in several scans, and makes 3 bytes of each pixel.
            return found if scans < 2 else found._replace(weight=max(found.weight, coefficients + 3.1))
        if marker in _BODILESS:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if marker in _FRAMES and found is None:
            bits, height, width, count = struct.unpack_from(">BHHB", data, position + 2)
            found = Facts(width, height, bits=bits)
            coefficients = _coefficients(data[position + 8 : position + 8 + 3 * count])
        scans += marker == _SCAN
        if scans > MOST_SCANS:
            raise ValueError(f"it has more than {MOST_SCANS} scans")
        position += length
    raise ValueError(f"it has more than {MOST_SEGMENTS} segments")


def _coefficients(components: bytes) -> float:
    """Return the bytes of all coefficients for each pixel, two for each sample.

    components: of a frame, three bytes for each; the second one has the samples across and down in a block of pixels.
    """
    samples = [(factors >> 4) * (factors & 15) for factors in components[1::3]]
    return 2 * sum(samples) / max(samples, default=1) if any(samples) else 0.0


def _next_marker(data: bytes, start: int, *, coded: bool) -> tuple[int, int]:
    """Return the first marker from `start` on, and the position behind it. coded: it may stand behind a scan's data."""
    end = len(data) if coded else min(len(data), start + MOST_PADDING)
    for window in range(start, end, WINDOW):
        # A marker has two bytes, and may begin with the last one of a window.
        if match := _MARKER.search(data, window, min(window + WINDOW + 1, end)):
            return data[match.start() + 1], match.end()
    if end < len(data):
        raise ValueError("there is no segment where one must begin")
    raise EOFError
