"""Augmentation of whole batches: one random draw per picture, applied as one affine map and a change of light."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from facecli.models.training.config import Augmentation

# The columns of a draw.
_FLIP, _ANGLE, _SCALE, _X, _Y, _BRIGHTNESS, _CONTRAST, _CUT, _CUT_X, _CUT_Y, _CUT_SIDE = range(11)
COLUMNS = 11


def draw(count: int, seed: int, view: int) -> Tensor:
    """(count, COLUMNS) float32 in [0, 1): what decides view `view` of each picture, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + view)
    return torch.rand(count, COLUMNS, generator=generator)


def views(pixels: Tensor, draws: Tensor, how: Augmentation, side: int) -> Tensor:
    """(N, C, H, W) float32 in [-1, 1] -> (N, C, side, side): mirrored, turned, scaled, shifted, lit otherwise.

    Borders are reflected: a black one would tell how the picture was turned.
    """
    signed = draws * 2 - 1
    angle = signed[:, _ANGLE] * math.radians(how.degrees)
    scale = 1 + signed[:, _SCALE] * how.scale
    mirror = 1 - 2 * (draws[:, _FLIP] < 0.5).to(scale.dtype) if how.flip else torch.ones_like(scale)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    # affine_grid's coordinates span 2 from border to border.
    x, y = signed[:, _X] * 2 * how.shift, signed[:, _Y] * 2 * how.shift
    rows = torch.stack([torch.stack([cos * mirror, -sin, x], 1), torch.stack([sin * mirror, cos, y], 1)], 1)
    seen = _sample(pixels, rows, side)
    contrast = 1 + signed[:, _CONTRAST] * how.contrast
    brightness = signed[:, _BRIGHTNESS] * 2 * how.brightness
    return (seen * contrast[:, None, None, None] + brightness[:, None, None, None]).clamp(-1, 1)


def plain(pixels: Tensor, side: int) -> Tensor:
    """(N, C, H, W) -> (N, C, side, side), nothing changed but the size."""
    if pixels.shape[-2:] == (side, side):
        return pixels
    return _sample(pixels, torch.eye(2, 3, device=pixels.device).repeat(len(pixels), 1, 1), side)


def cutout(seen: Tensor, draws: Tensor, how: Augmentation) -> Tensor:
    """The pictures with a grey square in some of them, as the draws decide."""
    if not how.cutout:
        return seen
    side = seen.shape[-1]
    half = draws[:, _CUT_SIDE] * how.cutout_side * side / 2
    half = torch.where(draws[:, _CUT] < how.cutout, half, torch.zeros_like(half))
    place = torch.arange(side, device=seen.device) + 0.5
    inside_y = (place - draws[:, _CUT_Y, None] * side).abs() < half[:, None]
    inside_x = (place - draws[:, _CUT_X, None] * side).abs() < half[:, None]
    return seen.masked_fill((inside_y[:, :, None] & inside_x[:, None, :])[:, None], 0.0)


def mix(values: Tensor, share: float) -> Tensor:
    """Each row blended with its mirror image in the batch's order: `share` of itself, the rest of the other."""
    return values * share + values.flip(0) * (1 - share)


def _sample(pixels: Tensor, rows: Tensor, side: int) -> Tensor:
    grid = functional.affine_grid(rows, [len(pixels), 1, side, side], align_corners=False)
    return functional.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
