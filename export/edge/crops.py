"""Graphs of recognizers and attribute models that take a crop as it is: uint8 RGB (height, width, 3) of any size.

The nodes before the network repeat facecli.crops.preprocess, and OpenCV's resize, with ONNX operators.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from facecli.errors import ExportError
from facecli.export.edge.graph import Graph

if TYPE_CHECKING:
    import onnx

    from facecli.contract import ModelSpec, Preprocessing

INPUT = "pixels"
OUTPUTS = {"recognizer": "embedding", "attribute": "probabilities"}
# Weights of R, G and B in a grey value: ITU-R BT.601 luma, as in facecli.crops.preprocess.
GREY = ((0.299, 0.587, 0.114),)
SHORTEST = 1e-12  # least divisor of an embedding, so that a zero embedding stays zero


def with_preprocessing(network: onnx.ModelProto, spec: ModelSpec, labels: Sequence[str] = ()) -> onnx.ModelProto:
    """Return the network with resize, colour order, mean, std and layout before it.

    After it the embedding is brought to length 1, or the softmax of logits taken, if the model's description says so.
    labels: the order of the output's classes, if it differs from the network's.
    Raises ExportError for a model whose description states no crop or no preprocessing.
    """
    if spec.crop is None or spec.preprocessing is None or spec.kind not in OUTPUTS:
        raise ExportError(f"{spec.id} does not state a crop and a preprocessing that could be embedded")
    graph = Graph(network)
    pixels = graph.input(INPUT, TensorProto.UINT8, ("height", "width", 3))
    planes = resized(graph, pixels, spec.crop.height, spec.crop.width)
    rows = graph.run_network(_normalised(graph, planes, spec.preprocessing))[0]
    width = spec.dim or len(spec.labels) or 1
    if spec.kind == "recognizer" and spec.normalized:
        rows = _unit_length(graph, rows, width)
    if spec.logits:
        rows = graph.node("Softmax", rows, axis=1)
    if labels and tuple(labels) != spec.labels:
        columns = [spec.labels.index(label) for label in labels]
        rows = graph.node("Gather", rows, graph.constant(columns, np.int64), axis=1)
    graph.output(graph.shape(rows, width), OUTPUTS[spec.kind], (width,))
    facts = {
        "input": f"{INPUT}: uint8 RGB (height, width, 3), a crop of any size",
        "crop": json.dumps(asdict(spec.crop)),
        "labels": json.dumps(list(labels) or spec.labels),
    }
    return graph.model(facts)


def resized(graph: Graph, pixels: str, height: int, width: int) -> str:
    """Add the resize (H, W, 3) uint8 -> (3, height, width) float32, whole numbers 0..255; return its output's name.

    Each new pixel is the mean of the area that it covers, as with OpenCV's INTER_AREA, so a crop of the right size is
    unchanged. Two matrix products compute it, because ONNX's Resize has no area mean.
    """
    size = graph.node("Cast", graph.node("Shape", pixels), to=TensorProto.FLOAT)
    down = _coverage(graph, graph.node("Gather", size, graph.constant([0], np.int64)), height)
    across = _coverage(graph, graph.node("Gather", size, graph.constant([1], np.int64)), width)
    planes = graph.node("Transpose", graph.node("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    columns = graph.node("Transpose", across, perm=[1, 0])
    return graph.node("Round", graph.node("MatMul", graph.node("MatMul", down, planes), columns))


def _coverage(graph: Graph, length: str, count: int) -> str:
    """Add a matrix (count, length): the part of each of `count` equal stretches that lies in each of `length` pixels.

    length: the name of a float value of shape (1,). Returns the matrix's name.
    """
    scalar = graph.shape(length)
    zero, one = graph.constant(0), graph.constant(1)
    first = graph.shape(graph.node("Range", zero, scalar, one), 1, -1)
    step = graph.node("Div", length, graph.constant([count]))
    start = graph.node("Mul", graph.constant(np.arange(count)[:, None]), step)
    end = graph.node("Mul", graph.constant(np.arange(1, count + 1)[:, None]), step)
    shared = graph.node("Sub", graph.node("Min", end, graph.node("Add", first, one)), graph.node("Max", start, first))
    return graph.node("Div", graph.node("Relu", shared), step)


def _normalised(graph: Graph, planes: str, preprocessing: Preprocessing) -> str:
    """Add the steps from planes (3, H, W) RGB 0..255 to the network's input with a batch axis of 1; return its name."""
    if preprocessing.colour == "BGR":
        planes = graph.node("Gather", planes, graph.constant([2, 1, 0], np.int64), axis=0)
    elif preprocessing.colour == "grey":
        rows = graph.node("Transpose", planes, perm=[1, 2, 0])
        grey = graph.node("MatMul", rows, graph.constant(np.transpose(GREY)))
        planes = graph.node("Transpose", grey, perm=[2, 0, 1])
    mean, std = (graph.constant(np.reshape(values, (-1, 1, 1))) for values in (preprocessing.mean, preprocessing.std))
    planes = graph.node("Div", graph.node("Sub", planes, mean), std)
    if preprocessing.layout == "NHWC":
        planes = graph.node("Transpose", planes, perm=[1, 2, 0])
    batch = graph.node("Concat", graph.constant([1], np.int64), graph.node("Shape", planes), axis=0)
    return graph.node("Reshape", planes, batch)


def _unit_length(graph: Graph, rows: str, width: int) -> str:
    """Add the division of rows (N, width) by their lengths; return its output's name."""
    squares = graph.node("MatMul", graph.node("Mul", rows, rows), graph.constant(np.ones((width, 1))))
    return graph.node("Div", rows, graph.node("Max", graph.node("Sqrt", squares), graph.constant(SHORTEST)))
