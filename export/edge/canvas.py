"""The canvas of a detector's graph: a picture resized to what the network takes, with black beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from facecli.export.edge.graph import Graph

if TYPE_CHECKING:
    import onnx

GRID = 32  # px; the sides of a canvas of free size are multiples of it
# Levels of 0..255 that OpenCV's fixed-point resize loses on average, as measured. Subtracting them before rounding
# halves the number of pixels that differ.
DROPPED = 0.125


@dataclass(frozen=True, slots=True)
class Canvas:
    """Names of the canvas in the graph: pixels (1, 3, h, w) float32, size (h, w) int64, scale (x, y) of the picture."""

    pixels: str
    size: str
    scale: str


def fixed_size(network: onnx.ModelProto) -> tuple[int, int] | None:
    """Return the height and width of the network's input in px; None if they are free."""
    constants = {tensor.name for tensor in network.graph.initializer}
    entry = next(entry for entry in network.graph.input if entry.name not in constants)
    height, width = (dim.dim_value for dim in entry.type.tensor_type.shape.dim[2:])
    return (height, width) if height and width else None


def placed(graph: Graph, pixels: str, fixed: tuple[int, int] | None, size: int, *, one_scale: bool) -> Canvas:
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


def _joined(graph: Graph, first: list[int], rest: str) -> str:
    """Add a shape of known lengths and a shape of the graph behind them; return its name."""
    return graph.node("Concat", graph.constant(first, np.int64), rest, axis=0)
