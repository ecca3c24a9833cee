"""A picture file with covered faces: the same kind of file, made anew from pixels, so that nothing else of it is left.

Kept are the colour profile of RGB, without which colours change, and transparency where the format has it. A pixel that
nobody sees because it is transparent is made black: it may hold what was meant to be hidden.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from facecli.errors import OutputError
from facecli.pictures import codec, png
from facecli.pictures.headers import Header
from facecli.pictures.metadata import Metadata, metadata_of
from facecli.types import Image, Limits, UInt8Array

KEPT = {".jpg": ".jpg", ".jpeg": ".jpeg", ".jpe": ".jpg", ".jfif": ".jpg", ".png": ".png", ".webp": ".webp"}
WITH_ALPHA = (".png", ".webp")
# EXIF's orientations 2 to 8 as what makes a picture upright (CIPA DC-008, table of tag 0x0112).
_FLIPS = {2: 1, 3: -1, 4: 0, 5: 1, 7: 1}  # cv2.flip's codes
_TURNS = {
    5: cv2.ROTATE_90_CLOCKWISE,
    6: cv2.ROTATE_90_CLOCKWISE,
    7: cv2.ROTATE_90_COUNTERCLOCKWISE,
    8: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """A decoded picture and what else its file has. alpha: (H, W) uint8 as the pixels lie, None where all is opaque."""

    image: Image
    metadata: Metadata = field(default_factory=Metadata)
    alpha: UInt8Array | None = None

    def left_out(self) -> tuple[str, ...]:
        """Return in words what a copy lacks, beside the faces."""
        more = ("further frames or pages",) if self.image.frames > 1 else ()
        return (*self.metadata.kinds, *more)


def suffix_for(name: str) -> str:
    """Return the suffix of the copy of a picture of this name: PNG where its own format can not be written."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    return KEPT.get(suffix, ".png")


def opened(data: bytes, source: str, limits: Limits) -> Original:
    """Return a picture file's pixels and metadata. Raises DecodeError as codec.decode does."""
    header = codec.inspect(data, source, limits)
    image = codec.decode(data, source, limits, header)
    metadata = metadata_of(data, header.format)
    alpha = _alpha(data, header, metadata.orientation) if metadata.alpha else None
    if alpha is not None and (alpha.shape != image.pixels.shape[:2] or alpha.min() == 255):
        alpha = None
    return Original(image, metadata, alpha)


def encoded(pixels: UInt8Array, original: Original, suffix: str) -> bytes:
    """Return the file of covered pixels (H, W, 3) uint8 RGB. suffix: chooses the format. Raises OutputError."""
    codec.check_suffix(suffix)
    alpha, profile = original.alpha, original.metadata.profile
    if alpha is not None and suffix.lower() in WITH_ALPHA:
        pixels = np.dstack([np.where(alpha[..., None] > 0, pixels, np.uint8(0)), alpha])
    elif alpha is not None:  # on white, as it is seen on a page
        part = alpha[..., None].astype(np.float32) / 255
        pixels = np.rint(pixels * part + 255 * (1 - part)).astype(np.uint8)
    if alpha is None and not profile:
        return codec.encode(pixels, suffix)
    return codec.encode_with(pixels, suffix, profile)


def _alpha(data: bytes, header: Header, orientation: int) -> UInt8Array | None:
    """Return how opaque each pixel is, (H, W) uint8, upright."""
    if header.format == "PNG":
        data = png.without_metadata(data)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise OutputError("its transparency can not be read", hint="save it without") from error
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 4:
        return None
    alpha = pixels[..., 3]
    alpha = np.asarray(alpha if alpha.dtype == np.uint8 else alpha // 256, np.uint8)
    if orientation in _TURNS:
        alpha = cv2.rotate(alpha, _TURNS[orientation])
    if orientation in _FLIPS:
        alpha = cv2.flip(alpha, _FLIPS[orientation])
    return np.ascontiguousarray(alpha)
