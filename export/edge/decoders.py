"""How detectors' outputs are read, as graph nodes: one function per family, like the decoders of facecli's plugins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from facecli.export.edge.graph import Graph

STRIDES = (8, 16, 32)  # px between cells, level by level
# RetinaFace's square priors, px, and variances: biubug6/Face-Detector-1MB-with-landmark, data/config.py, cfg_mnet
PRIORS = ((10, 20), (32, 64), (128, 256))
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2


@dataclass(frozen=True, slots=True)
class Candidates:
    """Names in the graph: boxes (N, 4) xyxy, scores (N,), landmarks (N, 5, 2), canvas px."""

    boxes: str
    scores: str
    landmarks: str


Decode = Callable[[Graph, Sequence[str], str], Candidates]  # graph, network outputs, canvas (height, width)


def scrfd(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """By kind and then by level: scores, box distances and landmark offsets, in strides; two anchors per cell."""
    levels = []
    for level, stride in enumerate(STRIDES):
        scores, distances, offsets = outputs[level::3]
        points = _corners(graph, canvas, stride, anchors=2)
        far = _times(graph, graph.shape(distances, -1, 4), stride)
        first, second = (graph.node("Gather", far, graph.constant(k, np.int64), axis=1) for k in ([0, 1], [2, 3]))
        corners = graph.node("Sub", points, first), graph.node("Add", points, second)
        boxes = graph.node("Concat", *corners, axis=1)
        levels.append((boxes, graph.shape(scores, -1), _marks(graph, points, offsets, stride)))
    return _gathered(graph, levels)


def yunet(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """By kind and then by level: class and object scores, boxes and landmarks, in strides."""
    levels = []
    zero, one = graph.constant(0), graph.constant(1)
    for level, stride in enumerate(STRIDES):
        classes, objects, boxes, offsets = outputs[level::3]
        likely = [graph.node("Min", graph.node("Max", value, zero), one) for value in (classes, objects)]
        scores = graph.shape(graph.node("Sqrt", graph.node("Mul", *likely)), -1)
        points = _corners(graph, canvas, stride)
        rows = graph.shape(boxes, -1, 4)
        centre, size = (graph.node("Gather", rows, graph.constant(k, np.int64), axis=1) for k in ([0, 1], [2, 3]))
        centres = graph.node("Add", points, _times(graph, centre, stride))
        sides = _times(graph, graph.node("Exp", size), stride)
        levels.append((_around(graph, centres, sides), scores, _marks(graph, points, offsets, stride)))
    return _gathered(graph, levels)


def retinaface(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """Box offsets, scores (no face, face) and landmark offsets of all priors, level after level."""
    centres, sides = [], []
    for stride, priors in zip(STRIDES, PRIORS, strict=True):
        corners = _corners(graph, canvas, stride, anchors=len(priors))
        centres.append(graph.node("Add", corners, graph.constant(stride / 2)))
        # Alternating sides: as many pairs as there are cells.
        cells = graph.node("Shape", _corners(graph, canvas, stride))
        count = graph.node("Gather", cells, graph.constant([0], np.int64))
        repeats = graph.node("Concat", count, graph.constant([1], np.int64), axis=0)
        pairs = graph.node("Tile", graph.constant([priors]), repeats)
        sides.append(graph.shape(pairs, -1, 1))
    centre, side = (graph.node("Concat", *parts, axis=0) for parts in (centres, sides))
    rows, faces, offsets = (graph.shape(name, -1, k) for name, k in zip(outputs, (4, 2, 10), strict=True))
    move, grow = (graph.node("Gather", rows, graph.constant(k, np.int64), axis=1) for k in ([0, 1], [2, 3]))
    step = _times(graph, side, CENTRE_VARIANCE)
    middle = graph.node("Add", centre, graph.node("Mul", move, step))
    size = graph.node("Mul", side, graph.node("Exp", _times(graph, grow, SIZE_VARIANCE)))
    marks = graph.node("Mul", graph.shape(offsets, -1, 5, 2), graph.shape(step, -1, 1, 1))
    landmarks = graph.node("Add", graph.shape(centre, -1, 1, 2), marks)
    scores = graph.node("Gather", faces, graph.constant(1, np.int64), axis=1)
    return Candidates(_around(graph, middle, size), scores, landmarks)


DECODERS: dict[str, Decode] = {"scrfd": scrfd, "yunet": yunet, "retinaface": retinaface}


def _corners(graph: Graph, canvas: str, stride: int, *, anchors: int = 1) -> str:
    """(cells * anchors, 2) xy px of the top left corner of each anchor's cell, row by row."""
    cells = graph.node("Div", canvas, graph.constant([stride, stride], np.int64))
    rows, columns = (graph.node("Gather", cells, graph.constant(k, np.int64)) for k in (0, 1))
    count = graph.node("Mul", graph.node("Mul", rows, columns), graph.constant(anchors, np.int64))
    index = graph.node("Range", graph.constant(0, np.int64), count, graph.constant(1, np.int64))
    cell = graph.node("Div", index, graph.constant(anchors, np.int64))
    x, y = graph.node("Mod", cell, columns), graph.node("Div", cell, columns)
    xy = graph.node("Concat", graph.shape(x, -1, 1), graph.shape(y, -1, 1), axis=1)
    return _times(graph, graph.node("Cast", xy, to=1), stride)


def _around(graph: Graph, centres: str, sides: str) -> str:
    half = _times(graph, sides, 0.5)
    return graph.node("Concat", graph.node("Sub", centres, half), graph.node("Add", centres, half), axis=1)


def _marks(graph: Graph, points: str, offsets: str, stride: int) -> str:
    """(N, 2) points and offsets of five landmarks in strides -> (N, 5, 2)."""
    moved = _times(graph, graph.shape(offsets, -1, 5, 2), stride)
    return graph.node("Add", graph.shape(points, -1, 1, 2), moved)


def _times(graph: Graph, value: str, factor: float) -> str:
    return graph.node("Mul", value, graph.constant(factor))


def _gathered(graph: Graph, levels: Sequence[tuple[str, str, str]]) -> Candidates:
    return Candidates(*(graph.node("Concat", *parts, axis=0) for parts in zip(*levels, strict=True)))
