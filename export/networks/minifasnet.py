"""MiniFASNet V2 and V1SE, the anti-spoofing networks of Silent-Face-Anti-Spoofing (Apache-2.0): pruned MobileFaceNets.

Layer names, and the numbers of channels that pruning left, are those of the published states.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

SIDE, CLASSES = 80, 3  # px of a crop's sides; classes
STEM, NARROW, BROAD, WIDE, DIM = 32, 64, 128, 512, 128  # channels, from input to output
REDUCTION = 4  # a squeeze-and-excitation has a quarter as many hidden channels


@dataclass(frozen=True, slots=True)
class Widths:
    """Hidden channels of the bottlenecks, as pruning left them.

    halving: of the three that halve the resolution. stages: of those after each. excited: True if the last bottleneck
    of each stage has a squeeze-and-excitation.
    """

    halving: tuple[int, int, int]
    stages: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    excited: bool


V2 = Widths((103, 231, 308), ((13, 13, 13, 13), (231, 52, 26, 77, 26, 26), (26, 26)), excited=False)
V1SE = Widths((103, 231, 308), ((13, 26, 13, 52), (154, 52, 26, 52, 26, 26), (26, 26)), excited=True)


def _unit(conv: nn.Conv2d, *, linear: bool = False) -> nn.Sequential:
    parts = OrderedDict(conv=conv, bn=nn.BatchNorm2d(conv.out_channels))
    return nn.Sequential(parts if linear else parts | {"prelu": nn.PReLU(conv.out_channels)})


def _depthwise(channels: int, kernel: int = 3, stride: int = 1, padding: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel, stride, padding, groups=channels, bias=False)


def _pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 1, bias=False)


class Excitation(nn.Module):
    """Squeeze-and-excitation (arXiv 1709.01507): each channel times a weight computed from all channels' averages.

    Unlike in the paper, both layers have batch normalization and no bias.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // REDUCTION
        self.fc1, self.bn1 = _pointwise(channels, hidden), nn.BatchNorm2d(hidden)
        self.fc2, self.bn2 = _pointwise(hidden, channels), nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        weights = self.bn1(self.fc1(x.mean((2, 3), keepdim=True))).relu()
        return cast(Tensor, x * self.bn2(self.fc2(weights)).sigmoid())


class Bottleneck(nn.Module):
    """A bottleneck: expand, filter per channel, project; with a shortcut where the shape stays the same.

    excited: with a squeeze-and-excitation before the shortcut is added.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int, stride: int, *, excited: bool = False) -> None:
        super().__init__()
        self.shortcut = stride == 1
        self.conv = _unit(_pointwise(inputs, hidden))
        self.conv_dw = _unit(_depthwise(hidden, stride=stride))
        self.project = _unit(_pointwise(hidden, outputs), linear=True)
        self.se_module = Excitation(outputs) if excited else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H / stride, W / stride)."""
        y = self.project(self.conv_dw(self.conv(x)))
        if self.se_module is not None:
            y = self.se_module(y)
        return cast(Tensor, x + y if self.shortcut else y)


def _stage(channels: int, hidden: Sequence[int], *, excited: bool) -> nn.Sequential:
    last = len(hidden) - 1
    blocks = [Bottleneck(channels, width, channels, 1, excited=excited and k == last) for k, width in enumerate(hidden)]
    return nn.Sequential(OrderedDict(model=nn.Sequential(*blocks)))


class MiniFASNet(nn.Module):
    """MiniFASNet: (N, 3, 80, 80) float32 BGR 0..255 to (N, 3) float32 logits.

    Class 1 is a real face, the others are spoofs.
    """

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        first, second, third = widths.halving
        self.conv1 = _unit(nn.Conv2d(3, STEM, 3, 2, 1, bias=False))
        self.conv2_dw = _unit(_depthwise(STEM))
        self.conv_23 = Bottleneck(STEM, first, NARROW, 2)
        self.conv_3 = _stage(NARROW, widths.stages[0], excited=widths.excited)
        self.conv_34 = Bottleneck(NARROW, second, BROAD, 2)
        self.conv_4 = _stage(BROAD, widths.stages[1], excited=widths.excited)
        self.conv_45 = Bottleneck(BROAD, third, BROAD, 2)
        self.conv_5 = _stage(BROAD, widths.stages[2], excited=widths.excited)
        self.conv_6_sep = _unit(_pointwise(BROAD, WIDE))
        self.conv_6_dw = _unit(_depthwise(WIDE, SIDE // 16, padding=0), linear=True)
        self.linear = nn.Linear(WIDE, DIM, bias=False)
        self.bn = nn.BatchNorm1d(DIM)
        self.prob = nn.Linear(DIM, CLASSES, bias=False)

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 80, 80) float32 to (N, 3) float32 logits."""
        x = self.conv_23(self.conv2_dw(self.conv1(crops)))
        x = self.conv_45(self.conv_4(self.conv_34(self.conv_3(x))))
        x = self.conv_6_dw(self.conv_6_sep(self.conv_5(x))).flatten(1)
        return cast(Tensor, self.prob(self.bn(self.linear(x))))
