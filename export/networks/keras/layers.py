"""PyTorch layers made of Keras weights: kernels transposed, batch normalizations folded, dense layers fit for NCHW."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facecli.errors import ExportError
from facecli.export.weights.keras_file import Weights

Floats = NDArray[np.floating]


class Source:
    """The layers of a weights file, taken by name or one after the other, each once.

    network: the name of the expected network, for messages.
    """

    def __init__(self, layers: Mapping[str, Weights], network: str) -> None:
        self._remaining = dict(layers)
        self._network = network

    def __contains__(self, name: str) -> bool:
        return name in self._remaining

    def take(self, name: str, count: int) -> Weights:
        """Take the `count` arrays of a layer. Raises ExportError for another number, or if there is no such layer."""
        if name not in self._remaining:
            raise ExportError(f"this is not {self._network}: there is no layer {name!r} with weights")
        return self._counted(name, self._remaining.pop(name), count)

    def following(self, count: int) -> Weights:
        """Take the `count` arrays of the next layer in the file. Raises ExportError for another number or none."""
        if not self._remaining:
            raise ExportError(f"this is not {self._network}: it has too few layers with weights")
        name = next(iter(self._remaining))
        return self._counted(name, self._remaining.pop(name), count)

    def finish(self, unused: tuple[str, ...] = ()) -> None:
        """Raise ExportError if layers remain besides those named as `unused`."""
        surplus = [name for name in self._remaining if name not in unused]
        if surplus:
            raise ExportError(f"this is not {self._network}: it has a layer {surplus[0]!r} too many")

    def _counted(self, name: str, weights: Weights, count: int) -> Weights:
        if len(weights) != count:
            raise ExportError(f"this is not {self._network}: layer {name!r} has {len(weights)} arrays, not {count}")
        return weights


def convolution(
    kernel: Floats, bias: Floats | None = None, *, stride: int = 1, padding: int | tuple[int, int] = 0, groups: int = 1
) -> nn.Conv2d:
    """Return a convolution with a Keras kernel (height, width, inputs / groups, outputs)."""
    height, width, inputs, outputs = kernel.shape
    layer = nn.Conv2d(inputs * groups, outputs, (height, width), stride, padding, groups=groups, bias=bias is not None)
    _fill(layer, weight=kernel.transpose(3, 2, 0, 1), bias=bias)
    return layer


def normalized(
    kernel: Floats, bias: Floats | None, norm: Weights, epsilon: float, **geometry: int | tuple[int, int]
) -> nn.Conv2d:
    """Return a convolution with the batch normalization after it folded in, in float64.

    norm: [gamma,] beta, mean, variance; there is no gamma where Keras does not scale. geometry: stride and padding.
    """
    scale, shift = affine(norm, epsilon)
    moved = shift if bias is None else bias * scale + shift
    return convolution(kernel * scale, moved, **geometry)  # type: ignore[arg-type] # groups is an int


def affine(norm: Weights, epsilon: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the factor and the summand of each channel that a batch normalization amounts to."""
    *gamma, beta, mean, variance = (values.astype(np.float64) for values in norm)
    scale = (gamma[0] if gamma else 1.0) / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def dense(kernel: Floats, bias: Floats | None = None, *, pixels: tuple[int, int] = (1, 1)) -> nn.Linear:
    """Return a dense layer with a Keras kernel (inputs, outputs). Raises ExportError if `pixels` do not fit it.

    pixels: height and width of the map that was flattened before it. Keras flattens (H, W, C), PyTorch (C, H, W), so
    the kernel's rows are put in PyTorch's order.
    """
    inputs, outputs = kernel.shape
    height, width = pixels
    if inputs % (height * width):
        raise ExportError(f"a dense layer has {inputs} inputs, which are no {height}x{width} pixels")
    reordered = kernel.reshape(height, width, -1, outputs).transpose(2, 0, 1, 3).reshape(inputs, outputs)
    layer = nn.Linear(inputs, outputs, bias=bias is not None)
    _fill(layer, weight=reordered.T, bias=bias)
    return layer


class LocallyConnected(nn.Module):
    """A convolution with another kernel at every place, without padding, and ReLU."""

    def __init__(self, kernel: Floats, bias: Floats, *, side: int, stride: int = 1) -> None:
        super().__init__()
        rows, columns, self.outputs = bias.shape
        self.places, self.side, self.stride = (rows, columns), side, stride
        if kernel.shape[0] != rows * columns or kernel.shape[1] % side**2:
            raise ExportError(f"a locally connected layer has weights {kernel.shape} and biases {bias.shape}")
        # Keras: (places, height * width * inputs, outputs)
        self.kernel = nn.Parameter(torch.from_numpy(np.ascontiguousarray(kernel, np.float32)), requires_grad=False)
        self.bias = nn.Parameter(torch.from_numpy(np.ascontiguousarray(bias, np.float32)), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, outputs, rows, columns)."""
        rows, columns = (1 + (count - 1) * self.stride for count in self.places)
        shifts = [
            x[:, :, top : top + rows : self.stride, left : left + columns : self.stride]
            for top in range(self.side)
            for left in range(self.side)
        ]
        windows = torch.stack(shifts, 1).flatten(3).permute(3, 0, 1, 2).flatten(2)  # (places, N, side * side * C)
        sums = torch.bmm(windows, self.kernel).permute(1, 2, 0)
        sums = sums.reshape(*sums.shape[:2], *self.places)
        return torch.relu(sums + self.bias.permute(2, 0, 1))


def _fill(module: nn.Module, **values: Floats | None) -> None:
    """Load arrays into a module's parameters of these names; None stands for a parameter that it does not have."""
    state = {
        name: torch.from_numpy(np.ascontiguousarray(value, np.float32))
        for name, value in values.items()
        if value is not None
    }
    module.load_state_dict(state)
