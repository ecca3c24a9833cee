"""Inception-ResNet v1 (arXiv 1602.07261, in David Sandberg's facenet), with deepface's layer names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from facecli.export.networks.keras.layers import Source, affine, dense, normalized
from facecli.export.weights.keras_file import Weights

EPSILON = 1e-3
# Convolutions before the blocks: name, stride, padding. A max pool follows the third.
STEM = (
    ("Conv2d_1a_3x3", 2, 0),
    ("Conv2d_2a_3x3", 1, 0),
    ("Conv2d_2b_3x3", 1, 1),
    ("Conv2d_3b_1x1", 1, 0),
    ("Conv2d_4a_3x3", 1, 0),
    ("Conv2d_4b_3x3", 2, 0),
)
POOL_AFTER = 3
# Kind of residual block -> its branches, each a chain of layers, by the ends of their names.
BRANCHES = {
    "Block35": (
        ("Conv2d_1x1",),
        ("Conv2d_0a_1x1", "Conv2d_0b_3x3"),
        ("Conv2d_0a_1x1", "Conv2d_0b_3x3", "Conv2d_0c_3x3"),
    ),
    "Block17": (("Conv2d_1x1",), ("Conv2d_0a_1x1", "Conv2d_0b_1x7", "Conv2d_0c_7x1")),
    "Block8": (("Conv2d_1x1",), ("Conv2d_0a_1x1", "Conv2d_0b_1x3", "Conv2d_0c_3x1")),
}
MIXED_6A = (("Conv2d_1a_3x3",), ("Conv2d_0a_1x1", "Conv2d_0b_3x3", "Conv2d_1a_3x3"))
MIXED_7A = (
    ("Conv2d_0a_1x1", "Conv2d_1a_3x3"),
    ("Conv2d_0a_1x1", "Conv2d_1a_3x3"),
    ("Conv2d_0a_1x1", "Conv2d_0b_3x3", "Conv2d_1a_3x3"),
)


class Unit(nn.Module):
    """A convolution without bias, its batch normalization without scale, and ReLU."""

    def __init__(self, source: Source, name: str, *, stride: int = 1, padding: tuple[int, int] = (0, 0)) -> None:
        super().__init__()
        (kernel,) = source.take(name, 1)
        norm = source.take(f"{name}_BatchNorm", 3)
        self.convolution = normalized(kernel, None, norm, EPSILON, stride=stride, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H', W')."""
        return functional.relu(self.convolution(x))


def _branch(source: Source, prefix: str, ends: tuple[str, ...]) -> nn.Sequential:
    """Return a branch. Each layer's name ends with its kernel; "1a" in it stands for stride 2 without padding."""
    units = []
    for end in ends:
        down, across = (int(side) for side in end.rpartition("_")[2].split("x"))
        halves = "_1a_" in end
        padding = (0, 0) if halves else (down // 2, across // 2)
        units.append(Unit(source, f"{prefix}_{end}", stride=2 if halves else 1, padding=padding))
    return nn.Sequential(*units)


class Residual(nn.Module):
    """A residual block: x + scale * branches(x), with ReLU unless it is the last block."""

    def __init__(self, source: Source, kind: str, number: int, scale: float, *, last: bool = False) -> None:
        super().__init__()
        name = f"{kind}_{number}"
        self.last = last
        self.branches = nn.ModuleList(
            _branch(source, _prefix(source, name, place, number, ends[0]), ends)
            for place, ends in enumerate(BRANCHES[kind])
        )
        kernel, bias = source.take(f"{name}_Conv2d_1x1", 2)
        # The scale is folded into the convolution.
        self.up = nn.Conv2d(kernel.shape[2], kernel.shape[3], 1)
        state = {"weight": torch.from_numpy(kernel * scale).permute(3, 2, 0, 1), "bias": torch.from_numpy(bias * scale)}
        self.up.load_state_dict(state)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y = x + self.up(torch.cat([branch(x) for branch in self.branches], 1))
        return y if self.last else functional.relu(y)


def _prefix(source: Source, block: str, place: int, number: int, end: str) -> str:
    """Return the beginning of a branch's names: in the published files the second branch of Block17_3 is "Branch_3"."""
    usual = f"{block}_Branch_{place}"
    odd = f"{block}_Branch_{number}"
    return odd if place and f"{usual}_{end}" not in source and f"{odd}_{end}" in source else usual


class Mixed(nn.Module):
    """A reduction block: branches that halve the map, beside a max pool."""

    def __init__(self, source: Source, name: str, branches: tuple[tuple[str, ...], ...]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            _branch(source, f"{name}_Branch_{place}", ends) for place, ends in enumerate(branches)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', (H - 1) // 2, (W - 1) // 2)."""
        return torch.cat([*(branch(x) for branch in self.branches), functional.max_pool2d(x, 3, 2)], 1)


class InceptionResNetV1(nn.Module):
    """FaceNet: (N, 3, 160, 160) float32 BGR in [0, 1] to (N, dim) float32 embeddings, not of unit length."""

    def __init__(self, layers: Mapping[str, Weights]) -> None:
        super().__init__()
        source = Source(layers, "Inception-ResNet v1")
        stem: list[nn.Module] = [
            Unit(source, name, stride=stride, padding=(padding, padding)) for name, stride, padding in STEM
        ]
        stem.insert(POOL_AFTER, nn.MaxPool2d(3, 2))
        self.body = nn.Sequential(
            *stem,
            *(Residual(source, "Block35", number, 0.17) for number in range(1, 6)),
            Mixed(source, "Mixed_6a", MIXED_6A),
            *(Residual(source, "Block17", number, 0.1) for number in range(1, 11)),
            Mixed(source, "Mixed_7a", MIXED_7A),
            *(Residual(source, "Block8", number, 0.2) for number in range(1, 6)),
            Residual(source, "Block8", 6, 1.0, last=True),
        )
        (kernel,) = source.take("Bottleneck", 1)
        scale, shift = affine(source.take("Bottleneck_BatchNorm", 3), EPSILON)
        self.bottleneck = dense(kernel * scale, shift)
        self.dim = kernel.shape[1]
        source.finish()

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 160, 160) float32 to (N, dim) float32."""
        return cast(Tensor, self.bottleneck(self.body(crops).mean((2, 3))))
