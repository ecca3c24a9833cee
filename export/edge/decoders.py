"""Decoders of detectors' outputs as graph nodes: one function per family, like the decoders of facecli's plugins.

A decoder gets the names of a network's outputs and adds the nodes that make boxes, scores and landmarks of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from facecli.export.edge.graph import Graph

STRIDES = (8, 16, 32)  # px between the cells of each level
# Sides of RetinaFace's square priors in px, level by level, and its variances: biubug6/Face-Detector-1MB-with-landmark,
# data/config.py, cfg_mnet.
PRIORS = ((10, 20), (32, 64), (128, 256))
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
# YOLOv8 gives each distance as a distribution over 0..15 strides (arXiv 2006.04388).
BINS = 16
# Width and height of YOLOv5-face's anchor boxes in px, level by level: deepcam-cn/yolov5-face, models/yolov5n-0.5.yaml.
ANCHORS = (
    ((4, 5), (8, 10), (13, 16)),
    ((23, 29), (43, 55), (73, 105)),
    ((146, 217), (231, 300), (335, 433)),
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Names of a decoder's results in the graph: boxes (N, 4) xyxy, scores (N,), landmarks (N, 5, 2), in canvas px."""

    boxes: str
    scores: str
    landmarks: str


# Graph, names of the network's outputs, name of the canvas's (height, width) int64 -> candidates.
Decode = Callable[[Graph, Sequence[str], str], Candidates]


def scrfd(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """Decode SCRFD: scores of each level, then box distances, then landmark offsets, in strides; two anchors a cell."""
    levels = []
    for level, stride in enumerate(STRIDES):
        scores, distances, offsets = outputs[level::3]
        points = _corners(graph, canvas, stride, anchors=2)
        boxes = _beside(graph, points, _times(graph, graph.shape(distances, -1, 4), stride))
        levels.append((boxes, graph.shape(scores, -1), _marks(graph, points, offsets, stride)))
    return _gathered(graph, levels)


def yunet(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """Decode YuNet: class scores of each level, then object scores, boxes and landmark offsets, in strides."""
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
    """Decode RetinaFace: box offsets, scores (no face, face) and landmark offsets of all priors, level after level."""
    centres, sides = [], []
    for stride, priors in zip(STRIDES, PRIORS, strict=True):
        corners = _corners(graph, canvas, stride, anchors=len(priors))
        centres.append(graph.node("Add", corners, graph.constant(stride / 2)))
        # Each cell has both priors of its level: repeat the pair of sides once per cell.
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


def yolov8_face(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """Decode YOLOv8-face: maps (80, H, W) of each level.

    Channels: 4 distributions of distances in strides, a class logit, 5 x (x, y, visible).
    """
    levels = []
    for output, stride in zip(outputs, STRIDES, strict=True):
        rows = graph.node("Transpose", graph.shape(output, 5 * BINS, -1), perm=[1, 0])
        scores = graph.node("Sigmoid", _columns(graph, rows, 4 * BINS, 4 * BINS + 1))
        likely = graph.node("Softmax", graph.shape(_columns(graph, rows, 0, 4 * BINS), -1, 4, BINS), axis=2)
        means = graph.shape(graph.node("MatMul", likely, graph.constant(np.arange(BINS)[:, None])), -1, 4)
        corners = _corners(graph, canvas, stride)
        middle = graph.node("Add", corners, graph.constant(stride / 2))
        points = graph.shape(_columns(graph, rows, 4 * BINS + 1, 5 * BINS), -1, 5, 3)
        offsets = graph.node("Gather", points, graph.constant([0, 1], np.int64), axis=2)
        boxes = _beside(graph, middle, _times(graph, means, stride))
        levels.append((boxes, graph.shape(scores, -1), _marks(graph, corners, offsets, 2 * stride)))
    return _gathered(graph, levels)


def yolov5_face(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """Decode YOLOv5-face: maps (3, H, W, 16) of each level, for three anchors.

    Last axis: x, y, width, height, object logit, 5 x (x, y), class logit.
    """
    levels = []
    for output, stride, shapes in zip(outputs, STRIDES, ANCHORS, strict=True):
        rows, cells = graph.shape(output, -1, 16), _corners(graph, canvas, stride)
        corners = graph.node("Tile", cells, graph.constant([len(shapes), 1], np.int64))
        count = graph.node("Gather", graph.node("Shape", cells), graph.constant([0], np.int64))
        every = graph.node(
            "Concat", graph.constant([len(shapes)], np.int64), count, graph.constant([2], np.int64), axis=0
        )
        anchors = graph.shape(graph.node("Expand", graph.constant(np.array(shapes)[:, None]), every), -1, 2)
        judged = [graph.node("Sigmoid", _columns(graph, rows, k, k + 1)) for k in (4, 15)]
        place, size = (_times(graph, graph.node("Sigmoid", _columns(graph, rows, k, k + 2)), 2) for k in (0, 2))
        moved = graph.node("Sub", place, graph.constant(0.5))
        centres = graph.node("Add", corners, _times(graph, moved, stride))
        sides = graph.node("Mul", graph.node("Mul", size, size), anchors)
        offsets = graph.node("Mul", graph.shape(_columns(graph, rows, 5, 15), -1, 5, 2), graph.shape(anchors, -1, 1, 2))
        landmarks = graph.node("Add", graph.shape(corners, -1, 1, 2), offsets)
        scores = graph.shape(graph.node("Mul", *judged), -1)
        levels.append((_around(graph, centres, sides), scores, landmarks))
    return _gathered(graph, levels)


DECODERS: dict[str, Decode] = {
    "scrfd": scrfd,
    "yunet": yunet,
    "retinaface": retinaface,
    "yolov8-face": yolov8_face,
    "yolov5-face": yolov5_face,
}


def _corners(graph: Graph, canvas: str, stride: int, *, anchors: int = 1) -> str:
    """Add the top left corners of all anchors' cells: (cells * anchors, 2) xy in px, row by row; return their name."""
    cells = graph.node("Div", canvas, graph.constant([stride, stride], np.int64))
    rows, columns = (graph.node("Gather", cells, graph.constant(k, np.int64)) for k in (0, 1))
    count = graph.node("Mul", graph.node("Mul", rows, columns), graph.constant(anchors, np.int64))
    index = graph.node("Range", graph.constant(0, np.int64), count, graph.constant(1, np.int64))
    cell = graph.node("Div", index, graph.constant(anchors, np.int64))
    x, y = graph.node("Mod", cell, columns), graph.node("Div", cell, columns)
    xy = graph.node("Concat", graph.shape(x, -1, 1), graph.shape(y, -1, 1), axis=1)
    return _times(graph, graph.node("Cast", xy, to=1), stride)


def _columns(graph: Graph, rows: str, first: int, end: int) -> str:
    """Add a slice of (N, M): the columns from `first` up to `end`, without it; return its name."""
    return graph.node("Slice", rows, *(graph.constant([n], np.int64) for n in (first, end, 1)))


def _beside(graph: Graph, points: str, distances: str) -> str:
    """Add boxes from (N, 2) points and their (N, 4) distances to left, top, right and bottom; return their name."""
    first, second = (graph.node("Gather", distances, graph.constant(k, np.int64), axis=1) for k in ([0, 1], [2, 3]))
    return graph.node("Concat", graph.node("Sub", points, first), graph.node("Add", points, second), axis=1)


def _around(graph: Graph, centres: str, sides: str) -> str:
    """Add boxes from (N, 2) centres and (N, 2) widths and heights; return their name."""
    half = _times(graph, sides, 0.5)
    return graph.node("Concat", graph.node("Sub", centres, half), graph.node("Add", centres, half), axis=1)


def _marks(graph: Graph, points: str, offsets: str, stride: int) -> str:
    """Add landmarks (N, 5, 2) from (N, 2) points and the offsets of five landmarks, in strides; return their name."""
    moved = _times(graph, graph.shape(offsets, -1, 5, 2), stride)
    return graph.node("Add", graph.shape(points, -1, 1, 2), moved)


def _times(graph: Graph, value: str, factor: float) -> str:
    return graph.node("Mul", value, graph.constant(factor))


def _gathered(graph: Graph, levels: Sequence[tuple[str, str, str]]) -> Candidates:
    return Candidates(*(graph.node("Concat", *parts, axis=0) for parts in zip(*levels, strict=True)))
