"""Canvases: the arrays that a detector's network takes, with the resized picture top left and the rest black."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from facecli.contract import Preprocessing
from facecli.crops.preprocess import level_table, write_planes
from facecli.types import FloatArray, UInt8Array

GRID = 32  # px; the coarsest stride of these networks; the sides of a free canvas are multiples of it


@dataclass(frozen=True, slots=True)
class Placement:
    """The place of a picture on its canvas.

    canvas: (height, width) px of the canvas. picture: (height, width) px that the picture takes, top left. scale:
    canvas px per picture px, along x and y.
    """

    canvas: tuple[int, int]
    picture: tuple[int, int]
    scale: tuple[float, float]


def place(
    height: int, width: int, *, within: tuple[int, int], fixed: tuple[int, int] | None, one_scale: bool = False
) -> Placement:
    """Return the place of a picture of height x width px: as large as possible, in its proportions.

    within: (height, width) px that it must fit in. fixed: (height, width) px of the canvas, if the network takes no
    other; the canvas is else as large as the picture, its sides rounded up to GRID. one_scale: use the scale of the
    height for both axes, as insightface does, although rounding to whole pixels makes that of the width differ by up
    to 1 / height.
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
    """Return the least multiple of GRID that is not below a side, in px."""
    return -(-side // GRID) * GRID


def draw(pixels: UInt8Array, placement: Placement, preprocessing: Preprocessing, out: FloatArray) -> None:
    """Resize (H, W, 3) uint8 RGB pixels, preprocess them, and write them to a canvas.

    out: the canvas, (3, height, width) float32; pixels beside the picture become what the preprocessing makes of black.
    """
    import cv2

    height, width = placement.picture
    resized = cast(UInt8Array, cv2.resize(pixels, (width, height)))
    write_planes(resized, preprocessing, out[:, :height, :width])
    black = level_table(preprocessing.mean, preprocessing.std)[:, :1, None]
    out[:, height:] = black
    out[:, :height, width:] = black
