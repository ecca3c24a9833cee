"""Pictures on the canvas that a detector's network takes: shrunk or enlarged, top left, the rest black."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from facecli.contract import Preprocessing
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
    resized = cv2.resize(pixels, (width, height))
    order = (2, 1, 0) if how.colour == "BGR" else (0, 1, 2)
    for channel, levels, target in zip(order, _levels(how.mean, how.std), out, strict=True):
        cv2.LUT(cv2.extractChannel(resized, channel), levels, dst=target[:height, :width])
        target[height:] = levels[0]
        target[:height, width:] = levels[0]


@cache
def _levels(mean: tuple[float, ...], std: tuple[float, ...]) -> FloatArray:
    """What each of the 256 grey levels becomes, channel by channel: (3, 256). Looked up, a picture takes a third of the
    time that computing takes.
    """
    means, stds = (np.broadcast_to(np.array(values, np.float32), 3)[:, None] for values in (mean, std))
    levels: FloatArray = (np.arange(256, dtype=np.float32) - means) * (np.float32(1) / stds)
    return levels
