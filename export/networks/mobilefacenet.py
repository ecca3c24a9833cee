"""MobileFaceNet (arXiv 1804.07573, table 1): MobileNetV2's bottlenecks (arXiv 1801.04381), a global depthwise layer.

The module has two published networks, with the names of their states: foamliu's for 112x112 and Xiaoccer's for 112x96
crops. They differ from the paper, and from each other, in the activations and in a biased last layer.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import cast

from torch import Tensor, nn

# Bottlenecks from input to output: (expansion, channels, repeats, stride of the first).
TABLE = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
STEM, WIDE, DIM = 64, 512, 128


def bottlenecks() -> list[tuple[int, int, int, int]]:
    """Return (inputs, hidden, outputs, stride) of every bottleneck, in channels."""
    sizes, inputs = [], STEM
    for expansion, outputs, repeats, stride in TABLE:
        for k in range(repeats):
            sizes.append((inputs, inputs * expansion, outputs, stride if k == 0 else 1))
            inputs = outputs
    return sizes


def _depthwise(channels: int, kernel: int | tuple[int, int] = 3, stride: int = 1, padding: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel, stride, padding, groups=channels, bias=False)


def _pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 1, bias=False)


class Bottleneck(nn.Module):
    """A bottleneck: expand, filter per channel, project; with a shortcut where the shape stays the same."""

    def __init__(self, conv: nn.Sequential, *, shortcut: bool) -> None:
        super().__init__()
        self.conv = conv
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H / stride, W / stride)."""
        y = cast(Tensor, self.conv(x))
        return x + y if self.shortcut else y


def _with_relu6(inputs: int, hidden: int, outputs: int, stride: int) -> Bottleneck:
    expand = nn.Sequential(_pointwise(inputs, hidden), nn.BatchNorm2d(hidden), nn.ReLU6())
    spatial = nn.Sequential(_depthwise(hidden, stride=stride), nn.BatchNorm2d(hidden), nn.ReLU6())
    conv = nn.Sequential(expand, spatial, _pointwise(hidden, outputs), nn.BatchNorm2d(outputs))
    return Bottleneck(conv, shortcut=stride == 1 and inputs == outputs)


def _with_prelu(inputs: int, hidden: int, outputs: int, stride: int) -> Bottleneck:
    expand = (_pointwise(inputs, hidden), nn.BatchNorm2d(hidden), nn.PReLU(hidden))
    spatial = (_depthwise(hidden, stride=stride), nn.BatchNorm2d(hidden), nn.PReLU(hidden))
    conv = nn.Sequential(*expand, *spatial, _pointwise(hidden, outputs), nn.BatchNorm2d(outputs))
    return Bottleneck(conv, shortcut=stride == 1 and inputs == outputs)


class Separable(nn.Module):
    """A depthwise and a pointwise convolution, each with batch normalization and ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise, self.pointwise = _depthwise(channels), _pointwise(channels, channels)
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        x = self.relu(self.bn1(self.depthwise(x)))
        return cast(Tensor, self.relu(self.bn2(self.pointwise(x))))


class MobileFaceNet(nn.Module):
    """foamliu's: (N, 3, 112, 112) float32 RGB, normalised, to (N, 128) float32 embeddings, not of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, STEM, 3, 2, 1, bias=False), nn.BatchNorm2d(STEM), nn.ReLU6())
        self.dw_conv = Separable(STEM)
        self.features = nn.Sequential(*(_with_relu6(*sizes) for sizes in bottlenecks()))
        self.conv2 = nn.Sequential(_pointwise(bottlenecks()[-1][2], WIDE), nn.BatchNorm2d(WIDE), nn.ReLU6())
        self.gdconv = nn.Sequential(
            OrderedDict(depthwise=_depthwise(WIDE, 7, padding=0), bn=nn.BatchNorm2d(WIDE)),
        )
        self.conv3 = nn.Conv2d(WIDE, DIM, 1)
        self.bn = nn.BatchNorm2d(DIM)

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 112, 112) float32 to (N, 128) float32."""
        x = self.conv2(self.features(self.dw_conv(self.conv1(crops))))
        return cast(Tensor, self.bn(self.conv3(self.gdconv(x))).flatten(1))


def _unit(conv: nn.Conv2d, *, linear: bool = False) -> nn.Sequential:
    parts = OrderedDict(conv=conv, bn=nn.BatchNorm2d(conv.out_channels))
    return nn.Sequential(parts if linear else parts | {"prelu": nn.PReLU(conv.out_channels)})


class MobileFaceNet96(nn.Module):
    """Xiaoccer's: (N, 3, 112, 96) float32 RGB, normalised, to (N, 128) float32 embeddings, not of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _unit(nn.Conv2d(3, STEM, 3, 2, 1, bias=False))
        self.dw_conv1 = _unit(_depthwise(STEM))
        self.blocks = nn.Sequential(*(_with_prelu(*sizes) for sizes in bottlenecks()))
        self.conv2 = _unit(_pointwise(bottlenecks()[-1][2], WIDE))
        self.linear7 = _unit(_depthwise(WIDE, (7, 6), padding=0), linear=True)
        self.linear1 = _unit(_pointwise(WIDE, DIM), linear=True)

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 112, 96) float32 to (N, 128) float32."""
        x = self.conv2(self.blocks(self.dw_conv1(self.conv1(crops))))
        return cast(Tensor, self.linear1(self.linear7(x)).flatten(1))
