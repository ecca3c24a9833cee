"""mini-Xception (arXiv 1710.07557), as its authors' Keras code defines it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from facecli.errors import ExportError
from facecli.export.networks.keras.layers import convolution, normalized
from facecli.export.weights.keras_file import Layer

# Keras classes of the layers with weights, from input to output: a stem, BLOCKS blocks, a head.
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
        # Keras's "same" pads only as far as needed, and a 1x1 kernel of stride 2 needs no padding.
        self.shortcut = _folded(next(layers), next(layers), stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', ceil(H/2), ceil(W/2)); H = W."""
        y: Tensor = self.second(functional.relu(self.first(x)))
        # "same" for a kernel of 3 and stride 2 adds one row before and one after an odd height, but only one after an
        # even one; the overhanging last window of ceil_mode is that row.
        y = functional.max_pool2d(y, 3, 2, padding=y.shape[-1] % 2, ceil_mode=True)
        shortcut: Tensor = self.shortcut(x)
        return y + shortcut


class MiniXception(nn.Module):
    """mini-Xception: (N, 1, 64, 64) float32 grey in [-1, 1] to (N, classes) float32 probabilities.

    layers: all layers of the Keras model. Raises ExportError for layers of another network.
    """

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
        """Map (N, 1, 64, 64) float32 to (N, classes) float32, rows summing to 1."""
        return torch.softmax(self.head(self.blocks(self.stem(crops))).mean((2, 3)), 1)


def _with_weights(layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers that have weights. Raises ExportError unless they are mini-Xception's, in its order."""
    weighted = [layer for layer in layers if layer.weights]
    expected = STEM + BLOCK * BLOCKS + HEAD
    for position, kind in enumerate(expected):
        actual = weighted[position].kind if position < len(weighted) else "nothing"
        if actual != kind:
            raise ExportError(
                f"this is not mini-Xception: layer {position + 1} with weights must be {kind}, is {actual}"
            )
    if len(weighted) != len(expected):
        raise ExportError(f"this is not mini-Xception: {len(weighted)} layers with weights, not {len(expected)}")
    return weighted


def _separable(layer: Layer, norm: Layer) -> nn.Sequential:
    """Return a separable convolution with the batch normalization after it folded in."""
    depthwise, pointwise = layer.weights
    channels = depthwise.shape[2]
    if depthwise.shape[3] != 1:
        raise ExportError(f"layer {layer.name} has depth multiplier {depthwise.shape[3]}, only 1 is understood")
    spatial = convolution(depthwise.transpose(0, 1, 3, 2), None, padding=1, groups=channels)
    return nn.Sequential(spatial, _folded(Layer(layer.kind, layer.name, layer.settings, (pointwise,)), norm))


def _folded(layer: Layer, norm: Layer, stride: int = 1) -> nn.Conv2d:
    """Return a convolution without bias, with the batch normalization after it folded in, in float64."""
    return normalized(layer.weights[0], None, norm.weights, norm.settings["epsilon"], stride=stride)
