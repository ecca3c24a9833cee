"""A residual network whose convolutions are those of dlib's face recognition network, which it learns on from.

It is what a model learns fastest from that has few faces and few processor hours: dlib's network (CC0) has seen three
million faces. The last blocks are left out, and batch normalisation, into whose place dlib stores affine maps, is put
back, so that the network learns as well as it did when it was made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any, cast

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from facecli.models.training.networks import Convolution, PackedConvolution

EMBEDDED = "dlib_resnet.onnx"
# Blocks from input to output, as in dlib's network: (channels, True if the block halves the resolution).
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
# The recognizer takes (RGB - MEAN) / 256, the trainer gives RGB / 127.5 - 1.
MEAN = (122.782, 117.001, 104.298)

Layer = Callable[[int, int, int, int, int], nn.Module]  # inputs, outputs, kernel, stride, padding


class TrunkBlock(nn.Module):
    """A residual block; one that halves the resolution averages its shortcut over 2x2 pixels."""

    def __init__(self, inputs: int, outputs: int, *, halve: bool, layer: Layer) -> None:
        super().__init__()
        self.halve, self.further = halve, outputs - inputs
        self.first = layer(inputs, outputs, 3, 2 if halve else 1, 0 if halve else 1)
        self.second = layer(outputs, outputs, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H, W), or to half of that height and width, rounded up."""
        if not self.halve:
            return functional.relu(x + self.second(functional.relu(self.first(x))))
        # dlib pads neither side; a border on the far sides keeps the first pixels where dlib has them.
        y = self.second(functional.relu(self.first(functional.pad(x, (0, 2, 0, 2)))))
        x = functional.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
        return functional.relu(y + functional.pad(x, (0, 0, 0, 0, 0, self.further)))


class Trunk(nn.Module):
    """A network from (N, 3, H, W) float32 RGB in [-1, 1] to (N, outputs) logits.

    blocks: the number of dlib's blocks, from the input on. dropout: before the last layer. packed: made of
    PackedConvolution, to be shipped.
    """

    inputs = 3

    def __init__(self, outputs: int, *, blocks: int = 12, dropout: float = 0.0, packed: bool = False) -> None:
        super().__init__()
        layer = cast(Layer, PackedConvolution if packed else partial(Convolution, plain=True))
        self.stem = layer(3, 32, 7, 2, 0)
        self.blocks = nn.Sequential()
        channels = 32
        for width, halve in BLOCKS[:blocks]:
            self.blocks.append(TrunkBlock(channels, width, halve=halve, layer=layer))
            channels = width
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, outputs)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return (N, outputs) float32 logits of (N, 3, H, W) float32."""
        x = functional.max_pool2d(functional.relu(self.stem(pixels)), 3, 2)
        return cast(Tensor, self.head(self.dropout(self.blocks(x).mean((2, 3)))))


@torch.no_grad()
def begin_with_dlib(network: Trunk, pixels: Tensor) -> None:
    """Give a trunk dlib's convolutions, from the file in the wheel; the last layer stays as it is.

    pixels: (N, 3, H, W) float32 in [-1, 1], some hundred pictures. Each batch normalisation begins as the identity on
    them, with their mean and variance as its statistics, so that the network computes what dlib's does.
    """
    content = (files("facecli.models") / "embedded" / EMBEDDED).read_bytes()
    stored = {
        tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in onnx.load_model_from_string(content).graph.initializer
    }
    stem = stored["stem.weight"]
    offset = (127.5 - torch.tensor(MEAN)) / 256
    stored["stem.bias"] = stored["stem.bias"] + (stem * offset[None, :, None, None]).sum((1, 2, 3))
    stored["stem.weight"] = stem * 127.5 / 256
    handles = []
    for name, module in network.named_modules():
        if isinstance(module, Convolution):
            convolution, norm = cast(nn.Conv2d, module[0]), cast(nn.BatchNorm2d, module[1])
            convolution.weight.copy_(stored[f"{name}.weight"])
            handles.append(convolution.register_forward_hook(partial(_calibrate, norm, stored[f"{name}.bias"])))
    network.eval()(pixels)
    for handle in handles:
        handle.remove()


def _calibrate(norm: nn.BatchNorm2d, bias: Tensor, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
    """Make a batch normalisation add a bias and change nothing else, on inputs like this one."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    mean, variance = output.mean((0, 2, 3)), output.var((0, 2, 3), unbiased=False)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.copy_(mean + bias)
