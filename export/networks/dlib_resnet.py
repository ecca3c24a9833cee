"""dlib's face recognition network: a ResNet (arXiv 1512.03385) of 29 convolutions, after dlib's own example."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from facecli.errors import ExportError
from facecli.export.weights.dlib_file import Layers

# Blocks from input to output: (channels, True if the block halves the resolution).
BLOCKS = (
    *[(32, False)] * 3,
    (64, True),
    *[(64, False)] * 3,
    (128, True),
    *[(128, False)] * 2,
    (256, True),
    *[(256, False)] * 2,
    (256, True),
)


class Block(nn.Module):
    """A residual block; one that halves the resolution averages its shortcut over 2x2 pixels."""

    def __init__(self, inputs: int, outputs: int, *, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        # dlib pads no convolution of a stride other than 1.
        self.first = nn.Conv2d(inputs, outputs, 3, stride=2 if halve else 1, padding=0 if halve else 1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H, W), or to about half of that height and width."""
        y = self.second(functional.relu(self.first(x)))
        if self.halve:
            # Shortcut and block can differ by one row or column, and in channels: dlib fills up with zeros.
            x = functional.avg_pool2d(x, 2)
            height, width = max(x.shape[2], y.shape[2]), max(x.shape[3], y.shape[3])
            x, y = _zero_padded(x, y.shape[1], height, width), _zero_padded(y, y.shape[1], height, width)
        return functional.relu(x + y)


def _zero_padded(x: Tensor, channels: int, height: int, width: int) -> Tensor:
    missing = (0, width - x.shape[3], 0, height - x.shape[2], 0, channels - x.shape[1])
    return functional.pad(x, missing) if any(missing) else x


class DlibResNet(nn.Module):
    """dlib's network: (N, 3, 150, 150) float32 RGB, normalised, to (N, 128) float32 embeddings, not of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        inputs = 32
        self.blocks = nn.Sequential()
        for outputs, halve in BLOCKS:
            self.blocks.append(Block(inputs, outputs, halve=halve))
            inputs = outputs
        self.dense = nn.Linear(inputs, 128, bias=False)

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 150, 150) float32 to (N, 128) float32."""
        x = functional.max_pool2d(functional.relu(self.stem(crops)), 3, 2)
        return cast(Tensor, self.dense(self.blocks(x).mean((2, 3))))


def build_network(layers: Layers) -> DlibResNet:
    """Return the network with these weights; every affine is folded into the convolution before it, in float64.

    Raises ExportError for another number of convolutions.
    """
    network = DlibResNet()
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    if len(convolutions) != len(layers.convolutions):
        count = len(layers.convolutions)
        raise ExportError(f"dlib's face recognition network has {len(convolutions)} convolutions, this file {count}")
    for module, (weight, bias), (gamma, beta) in zip(convolutions, layers.convolutions, layers.affines, strict=True):
        scale = gamma.astype(np.float64)
        folded = weight.reshape(tuple(module.weight.shape)) * scale[:, None, None, None]
        _set(module, weight=folded, bias=bias * scale + beta)
    _set(network.dense, weight=layers.dense)
    return network.eval()


def _set(module: nn.Module, **values: np.typing.NDArray[np.floating]) -> None:
    module.load_state_dict({name: torch.from_numpy(value.astype(np.float32)) for name, value in values.items()})
