"""SFace in int8, as ONNX that every provider runs and that ONNX Runtime's CPU kernels compute in integers.

Each value stands between QuantizeLinear and DequantizeLinear, uint8 with one scale for all channels; weights are int8
with a scale for each output. What makes that accurate, and fast:

- The ranges of channels differ by factors of ten, and one scale would leave the small ones a few levels. A PReLU passes
  positive factors, so each channel is divided by its range, and the layer that reads it multiplies its weights
  (cross-layer equalisation: Nagel et al., arXiv 1906.04721).
- Processors without VNNI add two products of uint8 and int8 in 16 bits. Two neighbouring weights of one sign may
  therefore add up to 128 and no more; that leaves most weights 8 bits, where ONNX Runtime's own advice, reduce_range,
  leaves them 7.
- max(y, a y) is y + relu((a - 1) y): a depthwise convolution whose output can not be negative, and a sum. Both have
  integer kernels; PRelu has none.
- The first FLOAT_LAYERS layers have the largest pictures, the widest ranges and 0.1 % of the weights: in float32 they
  take no longer, and half of the error is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from facecli.export.graph.writer import GraphWriter
from facecli.export.networks.sface import MIDDLE, Array, Layer, bent, finished, geometry

if TYPE_CHECKING:
    import onnx

FLOAT_LAYERS = 4
LEVELS = 255
LARGEST = 127  # int8 weight
NARROWEST = 1e-3  # range of a channel, in parts of the layer's widest
# (2, channels) float16: the least and the greatest value before the activation of each channel of the 27 convolutions,
# one layer after the other. benchmarks/sface_ranges.py measured them on 1,000 training faces of FairFace.
RANGES = Path(__file__).with_name("sface_ranges.npy")
Range = tuple[Array, Array]  # of each channel: the least and the greatest value, (C,)


class Steps(NamedTuple):
    """The meaning of uint8 levels: each is the real value scale * (level - zero)."""

    scale: np.float32
    zero: np.uint8


def measured_ranges(layers: Sequence[Layer]) -> list[Range]:
    """Return the ranges of each layer but the last, before its activation."""
    low, high = np.load(RANGES).astype(np.float64)
    ends = np.cumsum([len(layer.bias) for layer in layers[:-1]])[:-1]
    return list(zip(np.split(low, ends), np.split(high, ends), strict=True))


def int8(layers: Sequence[Layer], ranges: Sequence[Range]) -> onnx.ModelProto:
    """Return the quantized network: crops (batch, 3, 112, 112) to embeddings (batch, 128), both float32.

    ranges: of each layer but the last, before its activation.
    """
    graph = Quantized()
    x = graph.add("Sub", ["crops", graph.constant("middle", np.float32(MIDDLE))], "centred")
    unit = np.ones(3)  # the factor by which each channel of x is divided
    for number, (plain, (low, high)) in enumerate(zip(layers[:-1], ranges, strict=True)):
        assert plain.slope is not None
        own = widths(low, high) if number >= FLOAT_LAYERS - 1 else np.ones(len(low))
        layer, before = plain.scaled(unit, own), (low / own, high / own)
        ends = [np.maximum(edge, plain.slope * edge) for edge in before]
        after = steps(np.minimum(*ends), np.maximum(*ends))
        if number >= FLOAT_LAYERS:
            x = graph.layer(x, layer, number, steps(*before), after)
        else:
            x = bent(graph, x, layer, number)
            x = graph.quantize(x, after) if number == FLOAT_LAYERS - 1 else x
        unit = own
    graph.dense(x, layers[-1].scaled(unit, np.ones(len(layers[-1].bias))))
    return finished(graph)


def widths(low: Array, high: Array) -> Array:
    """Return the largest absolute value of each channel, (C,), by which it is divided; never 0."""
    largest = np.maximum(high, -low)
    widened: Array = np.maximum(largest, NARROWEST * largest.max())
    return widened


def steps(low: Array, high: Array) -> Steps:
    """Return the levels for values between the least of `low` and the greatest of `high`, and 0."""
    least, greatest = min(0.0, float(low.min())), max(0.0, float(high.max()))
    scale = (greatest - least) / LEVELS
    return Steps(np.float32(scale), np.uint8(round(-least / scale)))


def weight_scales(weight: Array, *, pairs: bool) -> Array:
    """Return the scale of each output's weights, (outputs,). pairs: neighbouring ones may be added in 16 bits."""
    rows = weight.reshape(len(weight), -1)
    largest = np.abs(rows).max(1)
    if pairs:  # neighbours along the inputs, which 1x1 convolutions and the dense layer have an even number of
        couples = rows.reshape(len(rows), -1, 2)
        largest = np.maximum(largest, np.maximum(couples, 0).sum(2).max(1))
        largest = np.maximum(largest, np.maximum(-couples, 0).sum(2).max(1))
    scales: Array = largest / LARGEST
    return scales


class Quantized(GraphWriter):
    """A graph whose values are uint8 between its operators."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: dict[str, Steps] = {}
        self._readers = 0

    def quantize(self, x: str, how: Steps) -> str:
        """Add a float32 value's conversion to uint8, and return its name; what lies outside the levels is clipped."""
        self._steps[f"{x}_q"] = how
        return self.add("QuantizeLinear", [x, *self._parameters(f"{x}_q", how)], f"{x}_q")

    def read(self, x: str) -> str:
        """Add a uint8 value's conversion to float32 for one reader, and return its name."""
        self._readers += 1
        return self.add("DequantizeLinear", [x, f"{x}_scale", f"{x}_zero"], f"{x}_{self._readers}")

    def layer(self, x: str, layer: Layer, number: int, before: Steps, after: Steps) -> str:
        """Add a layer and return its output's name. before, after: the levels before and after its activation."""
        assert layer.slope is not None
        y = self.quantize(self._convolution(x, layer, f"y{number}"), before)
        bend = layer.slope - 1
        step = Layer(bend[:, None, None, None], np.zeros(len(bend)), groups=len(bend))
        least, greatest = ((edge - float(before.zero)) * float(before.scale) for edge in (0, LEVELS))
        rise = steps(np.zeros(1), np.maximum(bend * least, bend * greatest))  # nothing below 0: that is the relu
        r = self.quantize(self._convolution(y, step, f"r{number}"), rise)
        return self.quantize(self.add("Add", [self.read(y), self.read(r)], f"z{number}"), after)

    def dense(self, x: str, layer: Layer) -> str:
        """Add the dense layer, whose output is the embeddings; what it reads is reshaped as uint8, at no cost."""
        shape = self.constant("rows", np.array([0, -1], np.int64))
        flat = self.quantize(self.add("Reshape", [self.read(x), shape], "flat"), self._steps[x])
        rows = Layer(layer.weight.reshape(len(layer.weight), -1), layer.bias)
        weights = self._weights(flat, rows, "dense", pairs=True)
        return self.add("Gemm", [self.read(flat), *weights], "embeddings", transB=1)

    def _convolution(self, x: str, layer: Layer, name: str) -> str:
        weights = self._weights(x, layer, name, pairs=layer.groups == 1)
        return self.add("Conv", [self.read(x), *weights], name, **geometry(layer))

    def _weights(self, x: str, layer: Layer, name: str, *, pairs: bool) -> list[str]:
        """Add the int8 weights and int32 bias of a layer that reads `x`, and return their names."""
        scales = np.maximum(weight_scales(layer.weight, pairs=pairs), np.finfo(np.float32).tiny).astype(np.float32)
        levels = np.rint(layer.weight / scales.reshape(-1, *[1] * (layer.weight.ndim - 1)))
        products = scales * self._steps[x].scale
        sums = np.rint(layer.bias / products)
        return [
            self._packed(f"{name}_w", levels.astype(np.int8), scales),
            self._packed(f"{name}_b", sums.astype(np.int32), products),
        ]

    def _packed(self, name: str, levels: Any, scales: Any) -> str:
        parts = {"int": levels, "scale": scales, "zero": np.zeros(len(scales), levels.dtype)}
        names = [self.constant(f"{name}_{part}", values) for part, values in parts.items()]
        return self.add("DequantizeLinear", names, name, axis=0)

    def _parameters(self, name: str, how: Steps) -> list[str]:
        return [self.constant(f"{name}_scale", how.scale), self.constant(f"{name}_zero", how.zero)]
