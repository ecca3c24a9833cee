"""mini-Xception (arXiv 1710.07557), as its authors' Keras code defines it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from facecli.errors import ExportError
from facecli.export.networks.keras.layers import convolution, normalized
from facecli.export.weights.keras_file import Layer

STEM = ("Conv2D", "BatchNormalization") * 2
BLOCK = ("SeparableConv2D", "BatchNormalization") * 2 + ("Conv2D", "BatchNormalization")
BLOCKS = 4
HEAD = ("Conv2D",)


class Block(nn.Module):
    """Two separable convolutions and a max pooling beside a 1x1 convolution, both halving the resolution."""

    def __init__(self, layers: Iterator[Layer]) -> None:
        super().__init__()
        self.first = _separable(next(layers), next(layers))
        self.second = _separable(next(layers), next(layers))
        # Keras pads "same" only as far as needed, and a 1x1 kernel of stride 2 needs nothing.
        self.shortcut = _folded(next(layers), next(layers), stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', ceil(H/2), ceil(W/2)); H = W."""
        y: Tensor = self.second(functional.relu(self.first(x)))
        # "same" for a kernel of 3 and stride 2 adds one row before and one after an odd height, but only one after an
        # even one; the overhanging last window of ceil_mode is that row.
        y = functional.max_pool2d(y, 3, 2, padding=y.shape[-1] % 2, ceil_mode=True)
        shortcut: Tensor = self.shortcut(x)
        return y + shortcut


class MiniXception(nn.Module):
    """(N, 1, 64, 64) float32 grey in [-1, 1] to (N, classes) float32 probabilities."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        source = iter(_with_weights(layers))
        first, second = (_folded(next(source), next(source)) for _ in range(2))
        self.stem = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
        self.blocks = nn.Sequential(*(Block(source) for _ in range(BLOCKS)))
        last = next(source)
        kernel, bias = last.weights
        self.head = convolution(kernel, bias, padding=1)
        self.classes = len(bias)

    def forward(self, crops: Tensor) -> Tensor:
        """(N, 1, 64, 64) float32 -> (N, classes) float32, rows summing to 1."""
        return torch.softmax(self.head(self.blocks(self.stem(crops))).mean((2, 3)), 1)


def _with_weights(layers: Sequence[Layer]) -> list[Layer]:
    """The layers that have weights, in the one order that is understood."""
    found = [layer for layer in layers if layer.weights]
    expected = STEM + BLOCK * BLOCKS + HEAD
    for position, kind in enumerate(expected):
        got = found[position].kind if position < len(found) else "nothing"
        if got != kind:
            raise ExportError(f"this is not mini-Xception: layer {position + 1} with weights must be {kind}, is {got}")
    if len(found) != len(expected):
        raise ExportError(f"this is not mini-Xception: {len(found)} layers with weights, not {len(expected)}")
    return found


def _separable(layer: Layer, norm: Layer) -> nn.Sequential:
    depthwise, pointwise = layer.weights
    channels = depthwise.shape[2]
    if depthwise.shape[3] != 1:
        raise ExportError(f"layer {layer.name} has depth multiplier {depthwise.shape[3]}, only 1 is understood")
    spatial = convolution(depthwise.transpose(0, 1, 3, 2), None, padding=1, groups=channels)
    return nn.Sequential(spatial, _folded(Layer(layer.kind, layer.name, layer.settings, (pointwise,)), norm))


def _folded(layer: Layer, norm: Layer, stride: int = 1) -> nn.Conv2d:
    """A convolution without bias and the batch normalization after it, as one, folded in float64."""
    return normalized(layer.weights[0], None, norm.weights, norm.settings["epsilon"], stride=stride)
