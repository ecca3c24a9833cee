"""Pictures on the canvas that a detector's network takes: shrunk or enlarged, top left, the rest black."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from facecli.contract import Preprocessing
from facecli.crops.preprocess import levels, look_up
from facecli.types import FloatArray, UInt8Array

GRID = 32  # px; the coarsest stride of the networks here: a free canvas has sides of its multiples


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies on its canvas.

    canvas: (height, width) px of the canvas. picture: (height, width) px of the picture on it, top left.
    scale: canvas px per picture px, along x and y.
    """

    canvas: tuple[int, int]
    picture: tuple[int, int]
    scale: tuple[float, float]


def place(
    height: int, width: int, *, within: tuple[int, int], fixed: tuple[int, int] | None, one_scale: bool = False
) -> Placement:
    """Where a picture of height x width px goes: as large as `within` (height, width) holds, in its proportions.

    fixed: the canvas, where the network takes no other; else it is the picture with sides rounded up to GRID.
    one_scale: count both axes in the scale of the height, as insightface does, though rounding to whole pixels makes
    that of the width differ by up to 1 / height.
    """
    proportion = height / width
    if proportion > within[0] / within[1]:
        picture = within[0], max(1, int(within[0] / proportion))
    else:
        picture = max(1, int(within[1] * proportion)), within[1]
    scale_y, scale_x = picture[0] / height, picture[1] / width
    canvas = fixed or (on_grid(picture[0]), on_grid(picture[1]))
    return Placement(canvas, picture, (scale_y if one_scale else scale_x, scale_y))


def on_grid(side: int) -> int:
    """The least multiple of GRID that holds a side, px."""
    return -(-side // GRID) * GRID


def draw(pixels: UInt8Array, placement: Placement, how: Preprocessing, out: FloatArray) -> None:
    """Put (H, W, 3) uint8 RGB pixels onto a canvas: into `out`, (3, height, width) float32, as `how` wants them."""
    import cv2

    height, width = placement.picture
    resized = cast(UInt8Array, cv2.resize(pixels, (width, height)))
    look_up(resized, how, out[:, :height, :width])
    black = levels(how.mean, how.std)[:, :1, None]
    out[:, height:] = black
    out[:, :height, width:] = black
