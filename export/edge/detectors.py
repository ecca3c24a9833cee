"""Graphs of detectors that take a whole picture, uint8 RGB (height, width, 3), and give boxes, scores and landmarks.

The nodes place the picture on the network's canvas, decode and suppress, step by step as facecli's detector plugins do;
edge/proof.py compares the two.
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
GRID = 32  # px; the sides of a canvas of free size are multiples of it
# Levels of 0..255 that OpenCV's fixed-point resize loses on average, as measured. Subtracting them before rounding
# halves the number of pixels that differ.
DROPPED = 0.125
MOST_FACES = 10_000  # limit of the suppression; more than any picture has
# Families whose plugins repeat insightface: one scale for both axes, and areas that count the last pixel.
AS_INSIGHTFACE = ("scrfd",)


@dataclass(frozen=True, slots=True)
class Canvas:
    """Names of the canvas in the graph: pixels (1, 3, h, w) float32, size (h, w) int64, scale (x, y) of the picture."""

    pixels: str
    size: str
    scale: str


def with_decoding(
    network: onnx.ModelProto, family: str, spec: ModelSpec, parameters: Mapping[str, Any]
) -> onnx.ModelProto:
    """Return the network with resize and padding before it, and decoding and suppression after it.

    family: the name of the plugin that reads such outputs. parameters: that plugin's, of which a second look at the
    picture is ignored. Raises ExportError for a family or a layout of outputs without a decoder, or a square canvas.
    """
    decode = DECODERS.get(family)
    if decode is None or spec.preprocessing is None:
        families = ", ".join(DECODERS)
        message = f"{family} can not become one graph with its decoding and suppression inside"
        raise ExportError(message, hint=f"these can: {families}; a bundle runs mtcnn's cascade as it is")
    if parameters.get("square"):
        raise ExportError("a graph has no square canvas", hint="leave `square` out")
    graph = Graph(network)
    fixed = _fixed_size(network)
    pixels = graph.input(INPUT, TensorProto.UINT8, ("height", "width", 3))
    canvas = _placed(graph, pixels, fixed, parameters["size"], one_scale=family in AS_INSIGHTFACE)
    outputs = graph.run_network(_normalised(graph, canvas.pixels, spec.preprocessing))
    try:
        candidates = decode(graph, outputs, canvas.size)
    except ValueError as error:  # the decoder reads another number of outputs
        message = f"{spec.id} has {len(outputs)} outputs: nobody has written their decoding as a graph"
        raise ExportError(message, hint="choose a file of the family's default layout") from error
    _suppress(graph, candidates, canvas.scale, parameters, inclusive=family in AS_INSIGHTFACE)
    facts = {
        "input": f"{INPUT}: uint8 RGB (height, width, 3), a picture of any size",
        "detector": family,
        "parameters": json.dumps(dict(parameters)),
    }
    return graph.model(facts)


def _fixed_size(network: onnx.ModelProto) -> tuple[int, int] | None:
    """Return the height and width of the network's input in px; None if they are free."""
    constants = {tensor.name for tensor in network.graph.initializer}
    entry = next(entry for entry in network.graph.input if entry.name not in constants)
    height, width = (dim.dim_value for dim in entry.type.tensor_type.shape.dim[2:])
    return (height, width) if height and width else None


def _placed(graph: Graph, pixels: str, fixed: tuple[int, int] | None, size: int, *, one_scale: bool) -> Canvas:
    """Add the picture as large as the canvas holds it, in the top left corner, with black beside it.

    fixed: the canvas's height and width in px; None for a canvas that fits the picture, with no side above `size` px
    before it is rounded up to the grid. one_scale: use the vertical scale for both axes.
    """
    within = fixed or (size, size)
    shape = graph.node("Slice", graph.node("Shape", pixels), *(graph.constant([n], np.int64) for n in (0, 2)))
    # In float64, as the plugin computes it in Python: float32 would now and then be a pixel off.
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
    size_within = graph.node("Cast", exact, to=TensorProto.INT64)
    ratio = graph.node(
        "Div", graph.node("Cast", size_within, to=TensorProto.DOUBLE), graph.node("Concat", height, width, axis=0)
    )
    order = [0, 0] if one_scale else [1, 0]  # x, y
    scale = graph.node("Gather", graph.node("Cast", ratio, to=TensorProto.FLOAT), graph.constant(order, np.int64))
    canvas = graph.constant(fixed, np.int64) if fixed else _rounded_up(graph, size_within)
    planes = graph.node("Transpose", graph.node("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    drawn = _padded(graph, _scaled(graph, planes, size_within), size_within, canvas)
    return Canvas(drawn, canvas, scale)


def _rounded_up(graph: Graph, size: str) -> str:
    """Add the next multiples of GRID of a (height, width); return their name."""
    grid = graph.constant(GRID, np.int64)
    more = graph.node("Add", size, graph.constant(GRID - 1, np.int64))
    return graph.node("Mul", graph.node("Div", more, grid), grid)


def _scaled(graph: Graph, planes: str, size: str) -> str:
    """Add a bilinear resize without smoothing, rounded to whole levels like OpenCV's of bytes; return its name."""
    four = graph.node("Reshape", planes, _joined(graph, [1], graph.node("Shape", planes)))
    sizes = _joined(graph, [1, 3], size)
    # The inputs roi and scales are unused, but had to be tensors before opset 13.
    unused = ["", ""] if graph.opset >= 13 else [graph.constant([]), graph.constant([])]
    mode = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    exact = graph.node("Resize", four, *unused, sizes, **mode)
    return graph.node("Floor", graph.node("Add", exact, graph.constant(0.5 - DROPPED)))


def _padded(graph: Graph, pixels: str, size: str, canvas: str) -> str:
    """Add black to the right of pixels of this size and below them, up to the canvas's size; return the name."""
    before = graph.constant([0] * 6, np.int64)
    pads = graph.node("Concat", before, graph.node("Sub", canvas, size), axis=0)
    return graph.node("Pad", pixels, pads)


def _normalised(graph: Graph, pixels: str, preprocessing: Preprocessing) -> str:
    """Add colour order, mean and std; return the name of the network's input."""
    if preprocessing.colour == "BGR":
        pixels = graph.node("Gather", pixels, graph.constant([2, 1, 0], np.int64), axis=1)
    mean, factor = (
        np.reshape(preprocessing.mean, (-1, 1, 1)),
        1 / np.reshape(preprocessing.std, (-1, 1, 1)),
    )
    return graph.node("Mul", graph.node("Sub", pixels, graph.constant(mean)), graph.constant(factor))


def _joined(graph: Graph, first: list[int], rest: str) -> str:
    """Add a shape of known lengths and a shape of the graph behind them; return its name."""
    return graph.node("Concat", graph.constant(first, np.int64), rest, axis=0)


def _suppress(
    graph: Graph, candidates: Candidates, scale: str, parameters: Mapping[str, Any], *, inclusive: bool
) -> None:
    """Add the graph's outputs: the faces that remain of candidates in canvas px, in picture px, best score first.

    inclusive: areas count the last pixel.
    """
    boxes = graph.node("Div", candidates.boxes, graph.node("Concat", scale, scale, axis=0))
    points = graph.node("Div", candidates.landmarks, scale)
    corners = [graph.node("Gather", boxes, graph.constant(pair, np.int64), axis=1) for pair in ([0, 1], [2, 3])]
    sides = graph.node("Sub", corners[1], corners[0])
    smallest = graph.node("Min", *(graph.node("Gather", sides, graph.constant(k, np.int64), axis=1) for k in (0, 1)))
    real = graph.node("Greater", smallest, graph.constant(0))
    scores = graph.node("Where", real, candidates.scores, graph.constant(-1))
    if inclusive:  # areas that count the last pixel are those of boxes one pixel larger
        corners[1] = graph.node("Add", corners[1], graph.constant(1))
    selected = graph.node(
        "NonMaxSuppression",
        graph.shape(graph.node("Concat", *corners, axis=1), 1, -1, 4),
        graph.shape(scores, 1, 1, -1),
        graph.constant([MOST_FACES], np.int64),
        graph.constant([parameters["nms_threshold"]]),
        # A score equal to the threshold counts, but the operator keeps only greater ones.
        graph.constant([np.nextafter(np.float32(parameters["score_threshold"]), np.float32(0))]),
    )
    faces = graph.shape(graph.node("Gather", selected, graph.constant([2], np.int64), axis=1), -1)
    face_scores = graph.node("Gather", scores, faces)
    clipped = graph.node("Min", graph.node("Max", face_scores, graph.constant(0)), graph.constant(1))
    graph.output(graph.node("Gather", boxes, faces), OUTPUTS[0], ("faces", 4))
    graph.output(clipped, OUTPUTS[1], ("faces",))
    graph.output(graph.node("Gather", points, faces), OUTPUTS[2], ("faces", 5, 2))
