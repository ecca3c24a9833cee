"""Recognizers and attribute models that take a crop as it is: uint8 RGB (height, width, 3) of any size."""

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
# ITU-R BT.601 luma, the one that facecli's preprocessing uses
GREY = ((0.299, 0.587, 0.114),)
TINY = 1e-12  # a zero embedding stays zero


def with_preprocessing(network: onnx.ModelProto, spec: ModelSpec, labels: Sequence[str] = ()) -> onnx.ModelProto:
    """The network with resize, colour order, mean, std and layout before it.

    After it come, where the catalogue says so, a length of 1 or the softmax of logits. labels: the order of the
    output's classes, if it is another than the network's.
    Raises ExportError for a model whose catalogue entry does not say how its input is made.
    """
    if spec.crop is None or spec.preprocessing is None or spec.kind not in OUTPUTS:
        raise ExportError(f"{spec.id} does not state a crop and a preprocessing that could be embedded")
    graph = Graph(network)
    pixels = graph.input(INPUT, TensorProto.UINT8, ("height", "width", 3))
    planes = resized(graph, pixels, spec.crop.height, spec.crop.width)
    rows = graph.run_network(_normalised(graph, planes, spec.preprocessing))[0]
    width = spec.dim or len(spec.labels) or 1
    if spec.kind == "recognizer" and spec.normalized:
        rows = _unit(graph, rows, width)
    if getattr(spec, "logits", False):  # a field of newer catalogues
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
    """(H, W, 3) uint8 -> (3, height, width) float32 of whole numbers: each new pixel the mean of the area it covers.

    That is what OpenCV's INTER_AREA computes, up and down; a crop of the right size stays as it is. Two matrix
    products do it, because ONNX's own Resize knows no area mean.
    """
    size = graph.node("Cast", graph.node("Shape", pixels), to=TensorProto.FLOAT)
    down = _coverage(graph, graph.node("Gather", size, graph.constant([0], np.int64)), height)
    across = _coverage(graph, graph.node("Gather", size, graph.constant([1], np.int64)), width)
    planes = graph.node("Transpose", graph.node("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    columns = graph.node("Transpose", across, perm=[1, 0])
    return graph.node("Round", graph.node("MatMul", graph.node("MatMul", down, planes), columns))


def _coverage(graph: Graph, length: str, count: int) -> str:
    """(count, length): which part of each of `count` equal stretches lies in each of `length` pixels."""
    scalar = graph.shape(length)
    zero, one = graph.constant(0), graph.constant(1)
    first = graph.shape(graph.node("Range", zero, scalar, one), 1, -1)
    step = graph.node("Div", length, graph.constant([count]))
    start = graph.node("Mul", graph.constant(np.arange(count)[:, None]), step)
    end = graph.node("Mul", graph.constant(np.arange(1, count + 1)[:, None]), step)
    shared = graph.node("Sub", graph.node("Min", end, graph.node("Add", first, one)), graph.node("Max", start, first))
    return graph.node("Div", graph.node("Relu", shared), step)


def _normalised(graph: Graph, planes: str, how: Preprocessing) -> str:
    """(3, H, W) 0..255 RGB -> the network's input, with its batch axis."""
    if how.colour == "BGR":
        planes = graph.node("Gather", planes, graph.constant([2, 1, 0], np.int64), axis=0)
    elif how.colour == "grey":
        rows = graph.node("Transpose", planes, perm=[1, 2, 0])
        grey = graph.node("MatMul", rows, graph.constant(np.transpose(GREY)))
        planes = graph.node("Transpose", grey, perm=[2, 0, 1])
    mean, std = (graph.constant(np.reshape(values, (-1, 1, 1))) for values in (how.mean, how.std))
    planes = graph.node("Div", graph.node("Sub", planes, mean), std)
    if how.layout == "NHWC":
        planes = graph.node("Transpose", planes, perm=[1, 2, 0])
    batch = graph.node("Concat", graph.constant([1], np.int64), graph.node("Shape", planes), axis=0)
    return graph.node("Reshape", planes, batch)


def _unit(graph: Graph, rows: str, width: int) -> str:
    squares = graph.node("MatMul", graph.node("Mul", rows, rows), graph.constant(np.ones((width, 1))))
    return graph.node("Div", rows, graph.node("Max", graph.node("Sqrt", squares), graph.constant(TINY)))
