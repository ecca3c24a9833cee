"""Decoding anchor grids: the outputs of single-shot detectors have one row per anchor of each cell, level by level.

A level divides the canvas into square cells; each cell has one or more anchors, from which a row counts its box.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facecli.plugins.single_shot.candidates import Candidates
from facecli.types import FloatArray

STRIDES = (8, 16, 32)  # px between cells, level by level

Index = NDArray[np.intp]
Size = tuple[int, int]


def row_shapes(canvas: Size, anchors: int, widths: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the shapes (rows, columns) of one picture's outputs, with one row per anchor.

    canvas: (height, width) px. anchors: in each cell. widths: columns of each kind of output, which has all levels.
    """
    return [(anchors * height * width, columns) for columns in widths for height, width in grids(canvas)]


def grids(canvas: Size) -> list[tuple[int, int]]:
    """Return the number of cells of each level, down and across, on a canvas of (height, width) px."""
    return [(canvas[0] // stride, canvas[1] // stride) for stride in STRIDES]


def corners_of(cells: Index, width: int, stride: int) -> FloatArray:
    """Return the top left corner (N, 2) xy px of cells.

    cells: (N,) numbers, counted row by row. width: px, the canvas's. stride: px, a cell's side.
    """
    columns = width // stride
    return (np.stack([cells % columns, cells // columns], 1) * stride).astype(np.float32)


def boxes_at(points: FloatArray, distances: FloatArray) -> FloatArray:
    """Return boxes (N, 4) xyxy from points (N, 2) and their distances (N, 4) to left, top, right and bottom."""
    return np.concatenate([points - distances[:, :2], points + distances[:, 2:]], 1)


def boxes_around(centres: FloatArray, sides: FloatArray) -> FloatArray:
    """Return boxes (N, 4) xyxy from centres (N, 2) and sides (N, 2), widths and heights."""
    half = sides / np.float32(2)
    return np.concatenate([centres - half, centres + half], 1)


def sigmoid(x: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)) as float32, without overflow."""
    result: FloatArray = np.reciprocal(1 + np.exp(-np.clip(x, -80, 80)), dtype=np.float32)
    return result


def join_levels(parts: Sequence[tuple[FloatArray, FloatArray, FloatArray]]) -> Candidates:
    """Return the candidates of all levels. parts: boxes (N, 4), scores (N,) and landmarks (N, 5, 2) of each level."""
    boxes, scores, points = (
        np.concatenate(arrays).astype(np.float32, copy=False) for arrays in zip(*parts, strict=True)
    )
    return Candidates(boxes, scores, points)
