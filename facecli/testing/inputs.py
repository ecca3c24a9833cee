"""The pictures and crops that every plugin is tried on: drawn by this module, equal in every run."""

from __future__ import annotations

import numpy as np

from facecli.contract import CropSpec
from facecli.types import Image, UInt8Array

BLANK = "plain grey"
PORTRAIT = "the picture given"


def pictures(portrait: Image | None) -> dict[str, UInt8Array]:
    """Return pictures of different sizes for detectors: name -> (H, W, 3) uint8 RGB.

    portrait: one more picture, under the name PORTRAIT.
    """
    drawn = {
        "1x1 px": _plain(1, 1, 200),
        "300x1 px": _noise(1, 300),
        BLANK: _plain(160, 200, 128),
        "noise": _noise(150, 120),
        "drawn face": _drawn_face(240, 200),
        "black": _plain(90, 130, 0),
    }
    return drawn if portrait is None else drawn | {PORTRAIT: portrait.pixels}


def crops(spec: CropSpec, portrait: Image | None) -> dict[str, UInt8Array]:
    """Return crops of a model's size: name -> (spec.height, spec.width, 3) uint8 RGB.

    portrait: a picture that is resized to one more crop, under the name PORTRAIT.
    """
    height, width = spec.height, spec.width
    drawn = {
        BLANK: _plain(height, width, 128),
        "noise": _noise(height, width),
        "drawn face": _drawn_face(height, width),
        "black": _plain(height, width, 0),
        "white": _plain(height, width, 255),
    }
    if portrait is None:
        return drawn
    from facecli.crops.cutting import whole  # imports cv2, which a plugin's own import must not need

    return drawn | {PORTRAIT: whole(portrait, spec)[0]}


def _plain(height: int, width: int, level: int) -> UInt8Array:
    return np.full((height, width, 3), level, np.uint8)


def _noise(height: int, width: int) -> UInt8Array:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def _drawn_face(height: int, width: int) -> UInt8Array:
    """Return an oval with eyes and a mouth. Some detectors find a face in it, and none has to."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height - 0.5, x / width - 0.5
    pixels = _plain(height, width, 60)
    pixels[(x / 0.30) ** 2 + (y / 0.40) ** 2 < 1] = (215, 170, 140)
    eyes_and_mouth = ((-0.12, -0.08, 0.05, 0.03), (0.12, -0.08, 0.05, 0.03), (0, 0.2, 0.1, 0.02))
    for centre_x, centre_y, radius_x, radius_y in eyes_and_mouth:
        pixels[((x - centre_x) / radius_x) ** 2 + ((y - centre_y) / radius_y) ** 2 < 1] = (70, 40, 40)
    return pixels
