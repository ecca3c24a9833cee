"""Detectors that take a whole picture, uint8 RGB (height, width, 3), and give boxes, scores and landmarks.

Placing the picture on the network's canvas, decoding and suppression follow facecli's detector plugins step by step.
The proof compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto

from facecli.errors import ExportError
from facecli.export.edge.decoders import DECODERS, Candidates
from facecli.export.edge.graph import Graph

if TYPE_CHECKING:
    import onnx

    from facecli.contract import ModelSpec, Preprocessing

INPUT, OUTPUTS = "pixels", ("boxes", "scores", "landmarks")
GRID = 32  # px; a free canvas has sides of its multiples
DROPPED = 0.125  # levels that OpenCV's fixed-point resize loses on average (measured); so rounded, half as many differ
MOST = 10_000  # faces; more than any picture has
# insightface's reading of the scale, and its areas with the last pixel: what SCRFD's users know
AS_INSIGHTFACE = ("scrfd",)


@dataclass(frozen=True, slots=True)
class Canvas:
    """Names in the graph: the canvas's pixels (3, h, w), its size (2,) int64, the scale (2,) from picture to canvas."""

    pixels: str
    size: str
    scale: str


def with_decoding(
    network: onnx.ModelProto, family: str, spec: ModelSpec, parameters: Mapping[str, Any]
) -> onnx.ModelProto:
    """The network between resize and padding before it, and decoding and suppression after it.

    family: the detector plugin's name. parameters: the plugin's; its second look at a small picture is left out.
    Raises ExportError for a detector that is no single network, or that nobody has written a decoder for.
    """
    decode = DECODERS.get(family)
    if decode is None or spec.preprocessing is None:
        known = ", ".join(DECODERS)
        message = f"{family} can not become one graph with its decoding and suppression inside"
        raise ExportError(message, hint=f"these can: {known}; a bundle runs mtcnn's cascade as it is")
    if parameters.get("square"):
        raise ExportError("a graph has no square canvas", hint="leave `square` out")
    graph = Graph(network)
    fixed = _fixed_size(network)
    pixels = graph.input(INPUT, TensorProto.UINT8, ("height", "width", 3))
    canvas = _placed(graph, pixels, fixed, parameters["size"], one_scale=family in AS_INSIGHTFACE)
    outputs = graph.run_network(_normalised(graph, canvas.pixels, spec.preprocessing))
    try:
        found = decode(graph, outputs, canvas.size)
    except ValueError as error:  # another number of outputs than this decoder reads
        message = f"{spec.id} has {len(outputs)} outputs: nobody has written their decoding as a graph"
        raise ExportError(message, hint="choose a file of the family's default layout") from error
    _suppressed(graph, found, canvas.scale, parameters, inclusive=family in AS_INSIGHTFACE)
    facts = {
        "input": f"{INPUT}: uint8 RGB (height, width, 3), a picture of any size",
        "detector": family,
        "parameters": json.dumps(dict(parameters)),
    }
    return graph.model(facts)


def _fixed_size(network: onnx.ModelProto) -> tuple[int, int] | None:
    constants = {tensor.name for tensor in network.graph.initializer}
    entry = next(entry for entry in network.graph.input if entry.name not in constants)
    height, width = (dim.dim_value for dim in entry.type.tensor_type.shape.dim[2:])
    return (height, width) if height and width else None


def _placed(graph: Graph, pixels: str, fixed: tuple[int, int] | None, size: int, *, one_scale: bool) -> Canvas:
    """The picture as large as the canvas holds, top left, black beside it."""
    within = fixed or (size, size)
    shape = graph.node("Slice", graph.node("Shape", pixels), *(graph.constant([n], np.int64) for n in (0, 2)))
    # In float64, as Python computes it: float32 would now and then be a pixel off.
    height, width = (
        graph.node("Gather", graph.node("Cast", shape, to=TensorProto.DOUBLE), graph.constant([k], np.int64))
        for k in (0, 1)
    )
    proportion = graph.node("Div", height, width)
    limit = [graph.constant([n], np.float64) for n in within]
    tall = graph.node("Greater", proportion, graph.constant([within[0] / within[1]], np.float64))
    rows = graph.node("Where", tall, limit[0], graph.node("Mul", limit[1], proportion))
    columns = graph.node("Where", tall, graph.node("Div", limit[0], proportion), limit[1])
    exact = graph.node("Max", graph.node("Concat", rows, columns, axis=0), graph.constant([1], np.float64))
    small = graph.node("Cast", exact, to=TensorProto.INT64)
    ratio = graph.node(
        "Div", graph.node("Cast", small, to=TensorProto.DOUBLE), graph.node("Concat", height, width, axis=0)
    )
    order = [0, 0] if one_scale else [1, 0]  # x, y
    scale = graph.node("Gather", graph.node("Cast", ratio, to=TensorProto.FLOAT), graph.constant(order, np.int64))
    canvas = graph.constant(fixed, np.int64) if fixed else _rounded_up(graph, small)
    planes = graph.node("Transpose", graph.node("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    drawn = _padded(graph, _scaled(graph, planes, small), small, canvas)
    return Canvas(drawn, canvas, scale)


def _rounded_up(graph: Graph, size: str) -> str:
    grid = graph.constant(GRID, np.int64)
    more = graph.node("Add", size, graph.constant(GRID - 1, np.int64))
    return graph.node("Mul", graph.node("Div", more, grid), grid)


def _scaled(graph: Graph, planes: str, size: str) -> str:
    """Bilinear without smoothing, in whole levels, as OpenCV's resize of bytes is."""
    four = graph.node("Reshape", planes, _joined(graph, [1], graph.node("Shape", planes)))
    sizes = _joined(graph, [1, 3], size)
    # Roi and scales, unused here, had to be tensors before opset 13.
    unused = ["", ""] if graph.opset >= 13 else [graph.constant([]), graph.constant([])]
    mode = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    exact = graph.node("Resize", four, *unused, sizes, **mode)
    return graph.node("Floor", graph.node("Add", exact, graph.constant(0.5 - DROPPED)))


def _padded(graph: Graph, pixels: str, size: str, canvas: str) -> str:
    before = graph.constant([0] * 6, np.int64)
    pads = graph.node("Concat", before, graph.node("Sub", canvas, size), axis=0)
    return graph.node("Pad", pixels, pads)


def _normalised(graph: Graph, pixels: str, how: Preprocessing) -> str:
    if how.colour == "BGR":
        pixels = graph.node("Gather", pixels, graph.constant([2, 1, 0], np.int64), axis=1)
    mean, factor = np.reshape(how.mean, (-1, 1, 1)), 1 / np.reshape(how.std, (-1, 1, 1))
    return graph.node("Mul", graph.node("Sub", pixels, graph.constant(mean)), graph.constant(factor))


def _joined(graph: Graph, first: list[int], rest: str) -> str:
    return graph.node("Concat", graph.constant(first, np.int64), rest, axis=0)


def _suppressed(graph: Graph, found: Candidates, scale: str, parameters: Mapping[str, Any], *, inclusive: bool) -> None:
    """Candidates in canvas px -> the outputs: faces in picture px, best first."""
    boxes = graph.node("Div", found.boxes, graph.node("Concat", scale, scale, axis=0))
    points = graph.node("Div", found.landmarks, scale)
    corners = [graph.node("Gather", boxes, graph.constant(pair, np.int64), axis=1) for pair in ([0, 1], [2, 3])]
    sides = graph.node("Sub", corners[1], corners[0])
    smallest = graph.node("Min", *(graph.node("Gather", sides, graph.constant(k, np.int64), axis=1) for k in (0, 1)))
    real = graph.node("Greater", smallest, graph.constant(0))
    scores = graph.node("Where", real, found.scores, graph.constant(-1))
    if inclusive:  # areas that count the last pixel are those of boxes one pixel larger
        corners[1] = graph.node("Add", corners[1], graph.constant(1))
    picked = graph.node(
        "NonMaxSuppression",
        graph.shape(graph.node("Concat", *corners, axis=1), 1, -1, 4),
        graph.shape(scores, 1, 1, -1),
        graph.constant([MOST], np.int64),
        graph.constant([parameters["nms_threshold"]]),
        # A score that reaches the threshold counts; the operator wants one above it.
        graph.constant([np.nextafter(np.float32(parameters["score_threshold"]), np.float32(0))]),
    )
    faces = graph.shape(graph.node("Gather", picked, graph.constant([2], np.int64), axis=1), -1)
    chosen = graph.node("Gather", scores, faces)
    clipped = graph.node("Min", graph.node("Max", chosen, graph.constant(0)), graph.constant(1))
    graph.output(graph.node("Gather", boxes, faces), OUTPUTS[0], ("faces", 4))
    graph.output(clipped, OUTPUTS[1], ("faces",))
    graph.output(graph.node("Gather", points, faces), OUTPUTS[2], ("faces", 5, 2))
