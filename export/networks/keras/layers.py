"""Keras weights as PyTorch modules: kernels turned, batch normalizations folded, dense layers made to fit NCHW."""

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
    """The layers of a weights file, taken by name or one after the other, each once."""

    def __init__(self, layers: Mapping[str, Weights], network: str) -> None:
        self._left = dict(layers)
        self._network = network

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, count: int) -> Weights:
        """The `count` arrays of a layer. Raises ExportError if there is no such layer."""
        if name not in self._left:
            raise ExportError(f"this is not {self._network}: there is no layer {name!r} with weights")
        return self._counted(name, self._left.pop(name), count)

    def following(self, count: int) -> Weights:
        """The `count` arrays of the next layer in the file's order. Raises ExportError if there is none."""
        if not self._left:
            raise ExportError(f"this is not {self._network}: it has too few layers with weights")
        name = next(iter(self._left))
        return self._counted(name, self._left.pop(name), count)

    def finish(self, unused: tuple[str, ...] = ()) -> None:
        """Raise ExportError if layers are left that are not among the `unused` ones."""
        left = [name for name in self._left if name not in unused]
        if left:
            raise ExportError(f"this is not {self._network}: it has a layer {left[0]!r} too many")

    def _counted(self, name: str, weights: Weights, count: int) -> Weights:
        if len(weights) != count:
            raise ExportError(f"this is not {self._network}: layer {name!r} has {len(weights)} arrays, not {count}")
        return weights


def convolution(
    kernel: Floats, bias: Floats | None = None, *, stride: int = 1, padding: int | tuple[int, int] = 0, groups: int = 1
) -> nn.Conv2d:
    """A convolution with a Keras kernel (height, width, inputs / groups, outputs)."""
    height, width, inputs, outputs = kernel.shape
    made = nn.Conv2d(inputs * groups, outputs, (height, width), stride, padding, groups=groups, bias=bias is not None)
    _fill(made, weight=kernel.transpose(3, 2, 0, 1), bias=bias)
    return made


def normalized(
    kernel: Floats, bias: Floats | None, norm: Weights, epsilon: float, **geometry: int | tuple[int, int]
) -> nn.Conv2d:
    """A convolution and the batch normalization after it, as one, folded in float64.

    norm: gamma (left out where Keras was told not to scale), beta, mean, variance.
    """
    scale, shift = affine(norm, epsilon)
    moved = shift if bias is None else bias * scale + shift
    return convolution(kernel * scale, moved, **geometry)  # type: ignore[arg-type] # groups is an int


def affine(norm: Weights, epsilon: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a batch normalization multiplies each channel by, and then adds."""
    *gamma, beta, mean, variance = (values.astype(np.float64) for values in norm)
    scale = (gamma[0] if gamma else 1.0) / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def dense(kernel: Floats, bias: Floats | None = None, *, pixels: tuple[int, int] = (1, 1)) -> nn.Linear:
    """A dense layer with a Keras kernel (inputs, outputs); pixels: height and width of what was flattened before it.

    Keras flattens (H, W, C), PyTorch (C, H, W): the kernel's rows are put in that order.
    """
    inputs, outputs = kernel.shape
    height, width = pixels
    if inputs % (height * width):
        raise ExportError(f"a dense layer has {inputs} inputs, which are no {height}x{width} pixels")
    turned = kernel.reshape(height, width, -1, outputs).transpose(2, 0, 1, 3).reshape(inputs, outputs)
    made = nn.Linear(inputs, outputs, bias=bias is not None)
    _fill(made, weight=turned.T, bias=bias)
    return made


class LocallyConnected(nn.Module):
    """A convolution whose kernel is another one at every place, with ReLU; valid padding."""

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
        """(N, C, H, W) -> (N, outputs, rows, columns)."""
        rows, columns = (1 + (count - 1) * self.stride for count in self.places)
        shifts = [
            x[:, :, top : top + rows : self.stride, left : left + columns : self.stride]
            for top in range(self.side)
            for left in range(self.side)
        ]
        seen = torch.stack(shifts, 1).flatten(3).permute(3, 0, 1, 2).flatten(2)  # (places, N, side * side * C)
        sums = torch.bmm(seen, self.kernel).permute(1, 2, 0)
        sums = sums.reshape(*sums.shape[:2], *self.places)
        return torch.relu(sums + self.bias.permute(2, 0, 1))


def _fill(module: nn.Module, **values: Floats | None) -> None:
    state = {
        name: torch.from_numpy(np.ascontiguousarray(value, np.float32))
        for name, value in values.items()
        if value is not None
    }
    module.load_state_dict(state)
