"""Reading the maps that detectors without proposals give: one row per anchor of each cell, level after level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facecli.plugins.single_shot.candidates import Candidates
from facecli.types import FloatArray

STRIDES = (8, 16, 32)  # px between cells, level by level

Index = NDArray[np.intp]
Size = tuple[int, int]


def rows(canvas: Size, anchors: int, widths: Sequence[int]) -> list[tuple[int, ...]]:
    """The shapes of outputs with one row per anchor: (rows, width) of each level, for each of `widths` in turn."""
    return [(anchors * height * width, columns) for columns in widths for height, width in grids(canvas)]


def grids(canvas: Size) -> list[tuple[int, int]]:
    """How many cells each level has, down and across, on a canvas of (height, width) px."""
    return [(canvas[0] // stride, canvas[1] // stride) for stride in STRIDES]


def corners_of(cells: Index, width: int, stride: int) -> FloatArray:
    """(N,) cell numbers, row by row, of a canvas `width` px wide -> (N, 2) xy px of each cell's top left corner."""
    columns = width // stride
    return (np.stack([cells % columns, cells // columns], 1) * stride).astype(np.float32)


def beside(points: FloatArray, distances: FloatArray) -> FloatArray:
    """(N, 2) points and (N, 4) distances to the left, top, right and bottom -> (N, 4) boxes xyxy."""
    return np.concatenate([points - distances[:, :2], points + distances[:, 2:]], 1)


def around(centres: FloatArray, sides: FloatArray) -> FloatArray:
    """(N, 2) centres and (N, 2) widths and heights -> (N, 4) boxes xyxy."""
    half = sides / np.float32(2)
    return np.concatenate([centres - half, centres + half], 1)


def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)), without overflow."""
    result: FloatArray = np.reciprocal(1 + np.exp(-np.clip(x, -80, 80)), dtype=np.float32)
    return result


def gathered(parts: Sequence[tuple[FloatArray, FloatArray, FloatArray]]) -> Candidates:
    """The levels' boxes (N, 4), scores (N,) and landmarks (N, 10) or (N, 5, 2) as one."""
    boxes, scores, points = (
        np.concatenate(arrays).astype(np.float32, copy=False) for arrays in zip(*parts, strict=True)
    )
    return Candidates(boxes, scores, points)
