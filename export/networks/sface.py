"""SFace's layers out of the file of OpenCV's zoo, and the network of them in float32.

The network is MobileNet's (arXiv 1704.04861) for crops of 112x112: 27 convolutions, depthwise 3x3 and 1x1 in turns,
each with batch normalisation and PReLU, then one dense layer. The file keeps weights in int8, with a scale and a zero
point for each block of 64 inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facecli.errors import ExportError
from facecli.export.graph.writer import GraphWriter

if TYPE_CHECKING:
    import onnx

SIDE, DIM = 112, 128  # of crops, px; of embeddings
MIDDLE, SPREAD = 127.5, 128.0  # the network takes (pixels - MIDDLE) / SPREAD
OPSET = 18
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with max(y, slope * y) behind it, or the dense layer, all in float64.

    weight: (outputs, inputs / groups, height, width). slope: (outputs,), None without an activation. A PReLU with a
    slope above 1 is min(y, slope * y): such a channel is negated, and so are the weights that read it.
    """

    weight: Array
    bias: Array
    slope: Array | None = None
    stride: int = 1
    groups: int = 1

    def scaled(self, inputs: Array, outputs: Array) -> Layer:
        """Return the layer for inputs that were divided by one factor a channel, with outputs divided likewise.

        Factors of outputs must be positive: then they pass the activation unchanged.
        """
        per_input = inputs[:, None, None, None] if self.groups > 1 else inputs[None, :, None, None]
        weight = self.weight * per_input / outputs[:, None, None, None]
        return replace(self, weight=weight, bias=self.bias / outputs)


def read_layers(model: onnx.ModelProto) -> list[Layer]:
    """Return the 27 convolutions and the dense layer, as a convolution of 7x7, with every normalisation folded in.

    Raises ExportError for a graph that is not this network's.
    """
    values = constants(model)
    layers: list[Layer] = []
    shift = np.zeros(0)  # what the normalisation behind the last PReLU adds to each input of the dense layer
    factor = np.zeros(0)
    for node in model.graph.node:
        attributes = _attributes(node)
        if node.op_type == "Conv":
            weight = values[node.input[1]]
            layers.append(Layer(weight, np.zeros(len(weight)), None, attributes["strides"][0], attributes["group"]))
        elif node.op_type == "BatchNormalization":
            scale, offset = _normalisation([values[name] for name in node.input[1:]], attributes["epsilon"])
            if layers[-1].slope is None:
                layers[-1] = _normalised(layers[-1], scale, offset)
            else:
                factor, shift = scale, offset
        elif node.op_type == "PRelu":
            layers[-1] = replace(layers[-1], slope=values[node.input[1]].ravel())
        elif node.op_type == "Gemm":
            weight = values[node.input[1]].reshape(DIM, len(factor), 7, 7)
            bias = values[node.input[2]] + np.einsum("ochw,c->o", weight, shift)
            layers.append(Layer(weight * factor[:, None, None], bias))
    if len(layers) != 28 or any(layer.slope is None for layer in layers[:-1]):
        raise ExportError("this is not SFace's network")
    first = replace(layers[0], weight=layers[0].weight / SPREAD)
    return with_maxima([first, *layers[1:]])


def float32(layers: list[Layer]) -> onnx.ModelProto:
    """Return the network with float32 weights: crops (batch, 3, 112, 112) to embeddings (batch, 128)."""
    graph = GraphWriter()
    x = graph.add("Sub", ["crops", graph.constant("middle", np.float32(MIDDLE))], "centred")
    for number, layer in enumerate(layers[:-1]):
        x = bent(graph, x, layer, number)
    weight, bias = layers[-1].weight.reshape(DIM, -1), layers[-1].bias
    names = [graph.constant("dense_w", weight.astype(np.float32)), graph.constant("dense_b", bias.astype(np.float32))]
    graph.add("Gemm", [graph.add("Flatten", [x], "flat"), *names], "embeddings", transB=1)
    return finished(graph)


def bent(graph: GraphWriter, x: str, layer: Layer, number: int) -> str:
    """Add a layer in float32 and return its output's name.

    max(y, a y) is y + relu((a - 1) y), whose parts ONNX Runtime runs in the layout of its convolutions. With PRelu,
    which it does not (see the module `prelu`), the whole network takes twice as long.
    """
    assert layer.slope is not None
    weight = graph.constant(f"w{number}", layer.weight.astype(np.float32))
    bias = graph.constant(f"b{number}", layer.bias.astype(np.float32))
    y = graph.add("Conv", [x, weight, bias], f"y{number}", **geometry(layer))
    step = graph.constant(f"a{number}", (layer.slope - 1).astype(np.float32)[:, None, None, None])
    scaled = graph.add("Conv", [y, step], f"scaled{number}", kernel_shape=[1, 1], group=len(layer.slope))
    return graph.add("Add", [y, graph.add("Relu", [scaled], f"r{number}")], f"z{number}")


def geometry(layer: Layer) -> dict[str, Any]:
    """Return the attributes of a layer's Conv: windows of 3x3 are padded by 1 px."""
    kernel = layer.weight.shape[-1]
    return {
        "kernel_shape": [kernel, kernel],
        "pads": [kernel // 2] * 4,
        "strides": [layer.stride] * 2,
        "group": layer.groups,
    }


def finished(graph: GraphWriter) -> onnx.ModelProto:
    """Return the model of a graph from `crops` to `embeddings`."""
    return graph.model({"crops": ("batch", 3, SIDE, SIDE)}, {"embeddings": ("batch", DIM)}, OPSET)


def constants(model: onnx.ModelProto) -> Mapping[str, Array]:
    """Return every constant of the graph by name, its blocks of int8 unpacked, float64."""
    import onnx

    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    values = {name: array.astype(np.float64) for name, array in stored.items()}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear":
            attributes = _attributes(node)
            size, axis = attributes["block_size"], attributes["axis"]
            packed, *blocks = (values[name] for name in node.input)
            scale, zero = (np.repeat(block, size, axis).take(range(packed.shape[axis]), axis) for block in blocks)
            values[node.output[0]] = (packed - zero) * scale
        elif node.op_type == "Reshape" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].reshape(stored[node.input[1]])
    return values


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    import onnx

    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def _normalisation(parts: list[Array], epsilon: float) -> tuple[Array, Array]:
    """Return the factor and the summand of a batch normalisation: gamma, beta, mean and variance are its parts."""
    gamma, beta, mean, variance = parts
    factor = gamma / np.sqrt(variance + epsilon)
    return factor, beta - mean * factor


def _normalised(layer: Layer, factor: Array, summand: Array) -> Layer:
    """Return a layer with a normalisation of its outputs folded in."""
    return replace(layer, weight=layer.weight * factor[:, None, None, None], bias=layer.bias * factor + summand)


def with_maxima(layers: list[Layer]) -> list[Layer]:
    """Return the layers with every channel negated whose slope is above 1."""
    signs = np.ones(3)
    found = []
    for layer in layers:
        own = np.ones(len(layer.bias)) if layer.slope is None else np.where(layer.slope > 1, -1.0, 1.0)
        found.append(layer.scaled(signs, own))
        signs = own
    return found
