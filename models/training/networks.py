"""The small network that we ship: a residual network with squeeze-and-excitation for grey crops.

Residual blocks after arXiv 1512.03385, their shortcuts pooled after arXiv 1812.01187, squeeze-and-excitation after
arXiv 1709.01507, stochastic depth after arXiv 1603.09382. Channels are multiples of 32 and the resolution is halved by
the first convolution, because that is what a CPU does fastest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from facecli.errors import UsageError


class Squeeze(nn.Module):
    """Squeeze-and-excitation: each channel weighted by what all channels are on average."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.down = nn.Linear(channels, channels // reduction)
        self.up = nn.Linear(channels // reduction, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same."""
        weights = torch.sigmoid(self.up(functional.relu(self.down(x.mean((2, 3))))))
        return x * weights[:, :, None, None]


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut; in training the convolutions are left out with probability `drop`."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.first = _convolution(inputs, outputs, 3, stride)
        self.second = _convolution(outputs, outputs, 3, 1)
        self.squeeze = Squeeze(outputs)
        pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(pool, *_convolution(inputs, outputs, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H / stride, W / stride)."""
        y = self.squeeze(self.second(functional.relu(self.first(x))))
        if self.training and self.drop:
            # Not in place of whole batches: every picture of one leaves out blocks of its own.
            kept = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.drop
            y = y * kept.to(y.dtype) / (1 - self.drop)
        return functional.relu(y + self.shortcut(x))


class ResidualNetwork(nn.Module):
    """(N, 1, H, W) float32 grey in [-1, 1] to (N, outputs) logits; each picture is standardised first.

    stages: (channels, blocks); all but the first halve the resolution, which the stem has halved once.
    """

    def __init__(
        self, outputs: int, *, stem: int, stages: Sequence[tuple[int, int]], dropout: float = 0.0, drop: float = 0.0
    ) -> None:
        super().__init__()
        self.stem = _convolution(1, stem, 5, 2)
        self.blocks = nn.Sequential()
        total, channels = sum(count for _, count in stages), stem
        for number, (width, count) in enumerate(stages):
            for place in range(count):
                stride = 2 if number and not place else 1
                rising = drop * (len(self.blocks) + 1) / total
                self.blocks.append(Block(channels, width, stride=stride, drop=rising))
                channels = width
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, outputs)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 1, H, W) float32 -> (N, outputs) float32."""
        x = self.blocks(functional.relu(self.stem(standardised(pixels))))
        return cast(Tensor, self.head(self.dropout(x.mean((2, 3)))))


def standardised(pixels: Tensor) -> Tensor:
    """Each picture less its mean, divided by its standard deviation: light and contrast should not matter."""
    centred = pixels - pixels.mean((1, 2, 3), keepdim=True)
    # 0.02 of 2 is a grey level difference that only noise has: a flat picture stays flat.
    return centred / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + 0.02)


def build_residual(outputs: int, **options: object) -> ResidualNetwork:
    """A ResidualNetwork from a configuration's options. Raises UsageError where they do not fit."""
    try:
        return ResidualNetwork(outputs, **options)  # type: ignore[arg-type] # checked by the call itself
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"the options of network 'residual' do not fit: {error}") from error


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))
