"""Arithmetic of anchor grids as graph nodes, which the decoders of single-shot detectors share.

Values are names in the graph. Each function adds nodes and returns the name of its result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from facecli.export.edge.graph import Graph


@dataclass(frozen=True, slots=True)
class Candidates:
    """Names of a decoder's results in the graph: boxes (N, 4) xyxy, scores (N,), landmarks (N, 5, 2), in canvas px."""

    boxes: str
    scores: str
    landmarks: str


def cell_corners(graph: Graph, canvas: str, stride: int, *, anchors: int = 1) -> str:
    """Add the top left corners of all anchors' cells: (cells * anchors, 2) xy in px, row by row."""
    cells = graph.node("Div", canvas, graph.constant([stride, stride], np.int64))
    rows, columns = (graph.node("Gather", cells, graph.constant(k, np.int64)) for k in (0, 1))
    count = graph.node("Mul", graph.node("Mul", rows, columns), graph.constant(anchors, np.int64))
    index = graph.node("Range", graph.constant(0, np.int64), count, graph.constant(1, np.int64))
    cell = graph.node("Div", index, graph.constant(anchors, np.int64))
    x, y = graph.node("Mod", cell, columns), graph.node("Div", cell, columns)
    xy = graph.node("Concat", graph.shape(x, -1, 1), graph.shape(y, -1, 1), axis=1)
    return scaled(graph, graph.node("Cast", xy, to=TensorProto.FLOAT), stride)


def columns_of(graph: Graph, rows: str, first: int, end: int) -> str:
    """Add a slice of (N, M): the columns from `first` up to `end`, without it."""
    return graph.node("Slice", rows, *(graph.constant([n], np.int64) for n in (first, end, 1)))


def boxes_beside(graph: Graph, points: str, distances: str) -> str:
    """Add boxes from (N, 2) points and their (N, 4) distances to left, top, right and bottom."""
    first, second = (graph.node("Gather", distances, graph.constant(k, np.int64), axis=1) for k in ([0, 1], [2, 3]))
    return graph.node("Concat", graph.node("Sub", points, first), graph.node("Add", points, second), axis=1)


def boxes_around(graph: Graph, centres: str, sides: str) -> str:
    """Add boxes from (N, 2) centres and (N, 2) widths and heights."""
    half = scaled(graph, sides, 0.5)
    return graph.node("Concat", graph.node("Sub", centres, half), graph.node("Add", centres, half), axis=1)


def landmarks_at(graph: Graph, points: str, offsets: str, stride: int) -> str:
    """Add landmarks (N, 5, 2) from (N, 2) points and the offsets of five landmarks, in strides."""
    moved = scaled(graph, graph.shape(offsets, -1, 5, 2), stride)
    return graph.node("Add", graph.shape(points, -1, 1, 2), moved)


def scaled(graph: Graph, value: str, factor: float) -> str:
    """Add a value times a factor."""
    return graph.node("Mul", value, graph.constant(factor))


def joined(graph: Graph, levels: Sequence[tuple[str, str, str]]) -> Candidates:
    """Add the candidates of all levels together, from the boxes, scores and landmarks of each."""
    return Candidates(*(graph.node("Concat", *parts, axis=0) for parts in zip(*levels, strict=True)))
