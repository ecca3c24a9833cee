"""Facts that a picture file states about itself before a pixel is decoded, and the refusal of one that is not read."""

from __future__ import annotations

from typing import NamedTuple

ALPHA_WEIGHT = 7.2  # bytes per pixel of a picture that is decoded with its alpha channel


class Facts(NamedTuple):
    """The facts of a picture file.

    width, height: px as stored; an EXIF orientation may still swap them. frames: pictures in the file, frames of an
    animation or pages; the first is the one that is read. bits: per sample. weight: bytes for each pixel that OpenCV
    takes at most while it decodes, without the file; measured with OpenCV 4.14 on 25 megapixels. alpha: the pixels have
    a channel that tells how far they are seen.
    """

    width: int
    height: int
    frames: int = 1
    bits: int = 8
    weight: float = 6.1
    alpha: bool = False


class UnreadError(ValueError):
    """A file is whole and yet not read. The message completes "FILE is ..."; hint: what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
