"""Graphs of detectors that take a whole picture, uint8 RGB (height, width, 3), and give boxes, scores and landmarks.

The nodes place the picture on the network's canvas, decode and suppress, step by step as facecli's detector plugins do;
edge/proof.py compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto

from facecli.errors import ExportError
from facecli.export.edge.canvas import fixed_size, placed
from facecli.export.edge.cells import Candidates
from facecli.export.edge.decoders import DECODERS
from facecli.export.edge.graph import Graph

if TYPE_CHECKING:
    import onnx

    from facecli.contract import ModelSpec, Preprocessing

INPUT, OUTPUTS = "pixels", ("boxes", "scores", "landmarks")
MOST_FACES = 10_000  # limit of the suppression; more than any picture has
# Families whose plugins repeat insightface: one scale for both axes, and areas that count the last pixel.
AS_INSIGHTFACE = ("scrfd",)


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
    fixed = fixed_size(network)
    pixels = graph.input(INPUT, TensorProto.UINT8, ("height", "width", 3))
    canvas = placed(graph, pixels, fixed, parameters["size"], one_scale=family in AS_INSIGHTFACE)
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


def _normalised(graph: Graph, pixels: str, preprocessing: Preprocessing) -> str:
    """Add colour order, mean and std; return the name of the network's input."""
    if preprocessing.colour == "BGR":
        pixels = graph.node("Gather", pixels, graph.constant([2, 1, 0], np.int64), axis=1)
    mean, factor = (
        np.reshape(preprocessing.mean, (-1, 1, 1)),
        1 / np.reshape(preprocessing.std, (-1, 1, 1)),
    )
    return graph.node("Mul", graph.node("Sub", pixels, graph.constant(mean)), graph.constant(factor))


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
