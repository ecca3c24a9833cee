"""Decoders of detectors' outputs as graph nodes: one function per family, like the decoders of facecli's plugins.

A decoder gets the names of a network's outputs and adds the nodes that make boxes, scores and landmarks of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from facecli.export.edge.cells import (
    Candidates,
    boxes_around,
    boxes_beside,
    cell_corners,
    columns_of,
    joined,
    landmarks_at,
    scaled,
)
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


# Graph, names of the network's outputs, name of the canvas's (height, width) int64 -> candidates.
Decode = Callable[[Graph, Sequence[str], str], Candidates]


def scrfd(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """Decode SCRFD: scores of each level, then box distances, then landmark offsets, in strides; two anchors a cell."""
    levels = []
    for level, stride in enumerate(STRIDES):
        scores, distances, offsets = outputs[level::3]
        points = cell_corners(graph, canvas, stride, anchors=2)
        boxes = boxes_beside(graph, points, scaled(graph, graph.shape(distances, -1, 4), stride))
        levels.append((boxes, graph.shape(scores, -1), landmarks_at(graph, points, offsets, stride)))
    return joined(graph, levels)


def yunet(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """Decode YuNet: class scores of each level, then object scores, boxes and landmark offsets, in strides."""
    levels = []
    zero, one = graph.constant(0), graph.constant(1)
    for level, stride in enumerate(STRIDES):
        classes, objects, boxes, offsets = outputs[level::3]
        probabilities = [graph.node("Min", graph.node("Max", value, zero), one) for value in (classes, objects)]
        scores = graph.shape(graph.node("Sqrt", graph.node("Mul", *probabilities)), -1)
        points = cell_corners(graph, canvas, stride)
        rows = graph.shape(boxes, -1, 4)
        centre, size = (graph.node("Gather", rows, graph.constant(k, np.int64), axis=1) for k in ([0, 1], [2, 3]))
        centres = graph.node("Add", points, scaled(graph, centre, stride))
        sides = scaled(graph, graph.node("Exp", size), stride)
        levels.append((boxes_around(graph, centres, sides), scores, landmarks_at(graph, points, offsets, stride)))
    return joined(graph, levels)


def retinaface(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """Decode RetinaFace: box offsets, scores (no face, face) and landmark offsets of all priors, level after level."""
    centres, sides = [], []
    for stride, priors in zip(STRIDES, PRIORS, strict=True):
        corners = cell_corners(graph, canvas, stride, anchors=len(priors))
        centres.append(graph.node("Add", corners, graph.constant(stride / 2)))
        # Each cell has both priors of its level: repeat the pair of sides once per cell.
        cells = graph.node("Shape", cell_corners(graph, canvas, stride))
        count = graph.node("Gather", cells, graph.constant([0], np.int64))
        repeats = graph.node("Concat", count, graph.constant([1], np.int64), axis=0)
        pairs = graph.node("Tile", graph.constant([priors]), repeats)
        sides.append(graph.shape(pairs, -1, 1))
    centre, side = (graph.node("Concat", *parts, axis=0) for parts in (centres, sides))
    rows, faces, offsets = (graph.shape(name, -1, k) for name, k in zip(outputs, (4, 2, 10), strict=True))
    move, grow = (graph.node("Gather", rows, graph.constant(k, np.int64), axis=1) for k in ([0, 1], [2, 3]))
    step = scaled(graph, side, CENTRE_VARIANCE)
    middle = graph.node("Add", centre, graph.node("Mul", move, step))
    size = graph.node("Mul", side, graph.node("Exp", scaled(graph, grow, SIZE_VARIANCE)))
    marks = graph.node("Mul", graph.shape(offsets, -1, 5, 2), graph.shape(step, -1, 1, 1))
    landmarks = graph.node("Add", graph.shape(centre, -1, 1, 2), marks)
    scores = graph.node("Gather", faces, graph.constant(1, np.int64), axis=1)
    return Candidates(boxes_around(graph, middle, size), scores, landmarks)


def yolov8_face(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """Decode YOLOv8-face: maps (80, H, W) of each level.

    Channels: 4 distributions of distances in strides, a class logit, 5 x (x, y, visible).
    """
    levels = []
    for output, stride in zip(outputs, STRIDES, strict=True):
        rows = graph.node("Transpose", graph.shape(output, 5 * BINS, -1), perm=[1, 0])
        scores = graph.node("Sigmoid", columns_of(graph, rows, 4 * BINS, 4 * BINS + 1))
        probabilities = graph.node("Softmax", graph.shape(columns_of(graph, rows, 0, 4 * BINS), -1, 4, BINS), axis=2)
        means = graph.shape(graph.node("MatMul", probabilities, graph.constant(np.arange(BINS)[:, None])), -1, 4)
        corners = cell_corners(graph, canvas, stride)
        middle = graph.node("Add", corners, graph.constant(stride / 2))
        points = graph.shape(columns_of(graph, rows, 4 * BINS + 1, 5 * BINS), -1, 5, 3)
        offsets = graph.node("Gather", points, graph.constant([0, 1], np.int64), axis=2)
        boxes = boxes_beside(graph, middle, scaled(graph, means, stride))
        levels.append((boxes, graph.shape(scores, -1), landmarks_at(graph, corners, offsets, 2 * stride)))
    return joined(graph, levels)


def yolov5_face(graph: Graph, outputs: Sequence[str], canvas: str) -> Candidates:
    """Decode YOLOv5-face: maps (3, H, W, 16) of each level, for three anchors.

    Last axis: x, y, width, height, object logit, 5 x (x, y), class logit.
    """
    levels = []
    for output, stride, shapes in zip(outputs, STRIDES, ANCHORS, strict=True):
        rows, cells = graph.shape(output, -1, 16), cell_corners(graph, canvas, stride)
        corners = graph.node("Tile", cells, graph.constant([len(shapes), 1], np.int64))
        count = graph.node("Gather", graph.node("Shape", cells), graph.constant([0], np.int64))
        every = graph.node(
            "Concat", graph.constant([len(shapes)], np.int64), count, graph.constant([2], np.int64), axis=0
        )
        anchors = graph.shape(graph.node("Expand", graph.constant(np.array(shapes)[:, None]), every), -1, 2)
        probabilities = [graph.node("Sigmoid", columns_of(graph, rows, k, k + 1)) for k in (4, 15)]
        place, size = (scaled(graph, graph.node("Sigmoid", columns_of(graph, rows, k, k + 2)), 2) for k in (0, 2))
        moved = graph.node("Sub", place, graph.constant(0.5))
        centres = graph.node("Add", corners, scaled(graph, moved, stride))
        sides = graph.node("Mul", graph.node("Mul", size, size), anchors)
        offsets = graph.node(
            "Mul", graph.shape(columns_of(graph, rows, 5, 15), -1, 5, 2), graph.shape(anchors, -1, 1, 2)
        )
        landmarks = graph.node("Add", graph.shape(corners, -1, 1, 2), offsets)
        scores = graph.shape(graph.node("Mul", *probabilities), -1)
        levels.append((boxes_around(graph, centres, sides), scores, landmarks))
    return joined(graph, levels)


DECODERS: dict[str, Decode] = {
    "scrfd": scrfd,
    "yunet": yunet,
    "retinaface": retinaface,
    "yolov8-face": yolov8_face,
    "yolov5-face": yolov5_face,
}
