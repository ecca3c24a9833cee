"""Naming files that are no readable picture by their first bytes, so that an error can say what they are."""

from __future__ import annotations

import re

RAW = "a camera's raw file"
# Brands of ISO base media files with pictures in them (ISO/IEC 23008-12; Canon's CR3); what else has brands is a video.
_GENERAL = (b"mif1", b"msf1")  # of HEIC, AVIF and others: they count where no other does
_BRANDS = {
    b"crx ": RAW,
    **dict.fromkeys((b"avif", b"avis"), "an AVIF picture"),
    **dict.fromkeys((b"jp2 ", b"jpx ", b"jpm "), "a JPEG 2000 picture"),
    **dict.fromkeys(b"heic heix heim heis hevc hevx hevm hevs".split(), "a HEIC picture"),
    **dict.fromkeys(_GENERAL, "a HEIC picture"),
}
# The bytes that a kind of file begins with, where they stand, and its name with an article.
_SIGNATURES = (
    (b"FUJIFILMCCD-RAW", 0, RAW),
    *((start, 0, RAW) for start in (b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM")),
    (b"\x1aE\xdf\xa3", 0, "a video"),
    (b"\xff\x0a", 0, "a JPEG XL picture"),
    (b"JXL ", 4, "a JPEG XL picture"),
    (b"jP  ", 4, "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", 0, "a JPEG 2000 picture"),
    (b"\x76\x2f\x31\x01", 0, "an OpenEXR picture"),
    (b"\0\0\1\0", 0, "a Windows icon"),
    (b"8BPS", 0, "a Photoshop picture"),
    (b"%PDF", 0, "a PDF document"),
    (b"PK\3\4", 0, "a ZIP archive"),
    (b"\x1f\x8b", 0, "a gzip archive"),
)
_CONTROLS = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def kind_of(data: bytes) -> str:
    """Return what kind of file the bytes are of, with an article where it has one: "a PDF document", "text"."""
    for signature, offset, kind in _SIGNATURES:
        if data.startswith(signature, offset):
            return kind
    if data[4:8] == b"ftyp":
        return next((_BRANDS[brand] for brand in _brands(data) if brand in _BRANDS), "a video")
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8")) and not data.startswith(start):
        return "a picture behind a line break or a byte order mark"
    start = start.lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if start.startswith((b"<svg", b"<?xml")):
        return "an SVG or XML document"
    return "text" if _is_text(data[:500]) else "unknown data"


def _brands(data: bytes) -> list[bytes]:
    """Return the brands of an ISO base media file: its main one, those that it is like, and general ones last."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    return sorted([data[8:12], *(data[at : at + 4] for at in range(16, end, 4))], key=_GENERAL.__contains__)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if error.start < 497:  # later, the cut went through a character
            return False
    return not _CONTROLS.search(data)
