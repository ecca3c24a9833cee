"""Naming files that are no readable picture by their first bytes, so that an error can say what they are."""

from __future__ import annotations

import re

# The bytes that a kind of file begins with, where they stand, and its name with an article.
_SIGNATURES = (
    (b"ftypavif", 4, "an AVIF picture"),
    (b"ftypavis", 4, "an AVIF picture"),
    *((b"ftyp" + brand, 4, "a HEIC picture") for brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1")),
    (b"ftyp", 4, "a video"),
    (b"\x1aE\xdf\xa3", 0, "a video"),
    (b"\xff\x0a", 0, "a JPEG XL picture"),
    (b"JXL ", 4, "a JPEG XL picture"),
    (b"jP  ", 4, "a JPEG 2000 picture"),
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
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if start.startswith((b"<svg", b"<?xml")):
        return "an SVG or XML document"
    return "text" if _is_text(data[:500]) else "unknown data"


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if error.start < 497:  # later, the cut went through a character
            return False
    return not _CONTROLS.search(data)
