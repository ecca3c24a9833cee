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
_EDGES = 8  # further columns: for each side of the picture whether its edge is black, and how wide that is


def draw(count: int, seed: int, view: int) -> Tensor:
    """Return (count, columns) float32 in [0, 1): the random numbers of view number `view` of each picture.

    Equal arguments give equal numbers, on every machine.
    """
    generator = torch.Generator().manual_seed(seed * 1_000_003 + view)
    # The columns of the edges came later: drawn behind the others, they leave those as they were.
    return torch.cat([torch.rand(count, columns, generator=generator) for columns in (COLUMNS, _EDGES)], 1)


def views(pixels: Tensor, draws: Tensor, how: Augmentation, side: int) -> Tensor:
    """Return pictures mirrored, turned, scaled, shifted and lit otherwise: (N, C, H, W) -> (N, C, side, side).

    Pixels are float32 in [-1, 1]. draws: (N, COLUMNS). Borders are reflected: a black one would show how the picture
    was turned.
    """
    signed = draws * 2 - 1
    angle = signed[:, _ANGLE] * math.radians(how.degrees)
    scale = 1 + signed[:, _SCALE] * how.scale
    mirror = 1 - 2 * (draws[:, _FLIP] < 0.5).to(scale.dtype) if how.flip else torch.ones_like(scale)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    # affine_grid's coordinates span 2 from border to border.
    x, y = signed[:, _X] * 2 * how.shift, signed[:, _Y] * 2 * how.shift
    rows = torch.stack([torch.stack([cos * mirror, -sin, x], 1), torch.stack([sin * mirror, cos, y], 1)], 1)
    warped = _sample(pixels, rows, side)
    contrast = 1 + signed[:, _CONTRAST] * how.contrast
    brightness = signed[:, _BRIGHTNESS] * 2 * how.brightness
    return (warped * contrast[:, None, None, None] + brightness[:, None, None, None]).clamp(-1, 1)


def plain(pixels: Tensor, side: int) -> Tensor:
    """Return pictures with no change but their size: (N, C, H, W) -> (N, C, side, side)."""
    if pixels.shape[-2:] == (side, side):
        return pixels
    return _sample(pixels, torch.eye(2, 3, device=pixels.device).repeat(len(pixels), 1, 1), side)


def cutout(pixels: Tensor, draws: Tensor, how: Augmentation) -> Tensor:
    """Return pictures (N, C, side, side) with a grey square in some of them, where the draws (N, COLUMNS) decide."""
    if not how.cutout:
        return pixels
    side = pixels.shape[-1]
    half = draws[:, _CUT_SIDE] * how.cutout_side * side / 2
    half = torch.where(draws[:, _CUT] < how.cutout, half, torch.zeros_like(half))
    place = torch.arange(side, device=pixels.device) + 0.5
    inside_y = (place - draws[:, _CUT_Y, None] * side).abs() < half[:, None]
    inside_x = (place - draws[:, _CUT_X, None] * side).abs() < half[:, None]
    return pixels.masked_fill((inside_y[:, :, None] & inside_x[:, None, :])[:, None], 0.0)


def black_edges(pixels: Tensor, draws: Tensor, how: Augmentation) -> Tensor:
    """Return pictures (N, C, side, side) with black edges where the draws (N, columns) decide.

    A face at the border of its photograph looks so: what is outside is black in the crop.
    """
    if not how.edges:
        return pixels
    side = pixels.shape[-1]
    draws = draws[:, COLUMNS:]
    # (N, 4) px: above, below, left, right.
    widths = draws[:, 4:] * how.edge_width * side * (draws[:, :4] < how.edges / 4)
    place = torch.arange(side, device=pixels.device) + 0.5
    inside_y = (place >= widths[:, 0, None]) & (place <= side - widths[:, 1, None])
    inside_x = (place >= widths[:, 2, None]) & (place <= side - widths[:, 3, None])
    return pixels.masked_fill(~(inside_y[:, :, None] & inside_x[:, None, :])[:, None], -1.0)


def mix(values: Tensor, share: float) -> Tensor:
    """Return each row blended with the row as far from the batch's other end: `share` of itself, the rest of that."""
    return values * share + values.flip(0) * (1 - share)


def _sample(pixels: Tensor, rows: Tensor, side: int) -> Tensor:
    """Return pictures warped by their affine maps, rows (N, 2, 3), in affine_grid's coordinates."""
    grid = functional.affine_grid(rows, [len(pixels), 1, side, side], align_corners=False)
    return functional.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
