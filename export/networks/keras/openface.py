"""OpenFace's nn4.small2 (cmusatyalab.github.io/openface; after arXiv 1503.03832), with deepface's layer names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from facecli.export.networks.keras.layers import Source, dense, normalized
from facecli.export.weights.keras_file import Weights

EPSILON = 1e-5
# TensorFlow's local response normalization looks at 5 channels on either side; PyTorch divides alpha by all 11.
RADIUS, ALPHA, BETA = 5, 1e-4, 0.75
SHORTEST = 1e-12  # least squared length that an embedding is divided by (Keras's l2_normalize)

# Name -> stride of the 3x3 and 5x5 convolutions, kind of pooling over 3x3 px, its stride, and the rows and columns of
# zeros before and after the pooled map, which give it the size of the other branches.
BLOCKS = {
    "3a": (1, "max", 2, (3, 4)),
    "3b": (1, "l2", 3, (4, 4)),
    "3c": (2, "max", 2, (0, 1)),
    "4a": (1, "l2", 3, (2, 2)),
    "4e": (2, "max", 2, (0, 1)),
    "5a": (1, "l2", 3, (1, 1)),
    "5b": (1, "max", 2, (1, 1)),
}


class Unit(nn.Module):
    """A convolution with its batch normalization folded in, and ReLU."""

    def __init__(self, source: Source, name: str, norm: str, *, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        kernel, bias = source.take(name, 2)
        self.convolution = normalized(kernel, bias, source.take(norm, 4), EPSILON, stride=stride, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H', W')."""
        return functional.relu(self.convolution(x))


class Block(nn.Module):
    """An inception block: up to four branches side by side, of 3x3, 5x5, a pool, and 1x1."""

    def __init__(self, source: Source, name: str) -> None:
        super().__init__()
        stride, self.kind, self.pool_stride, (before, after) = BLOCKS[name]
        self.padding = (before, after, before, after)
        prefix = f"inception_{name}"
        self.convolved = nn.ModuleList(
            nn.Sequential(
                Unit(source, f"{prefix}_{kernel}x{kernel}_conv1", f"{prefix}_{kernel}x{kernel}_bn1"),
                Unit(
                    source,
                    f"{prefix}_{kernel}x{kernel}_conv2",
                    f"{prefix}_{kernel}x{kernel}_bn2",
                    stride=stride,
                    padding=kernel // 2,
                ),
            )
            for kernel in (3, 5)
            if f"{prefix}_{kernel}x{kernel}_conv1" in source
        )
        self.pooled = _optional(source, f"{prefix}_pool")
        self.pointwise = _optional(source, f"{prefix}_1x1")

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H', W')."""
        if self.kind == "max":
            pool = functional.max_pool2d(x, 3, self.pool_stride)
        else:
            pool = torch.sqrt(functional.avg_pool2d(x * x, 3, self.pool_stride) * 9)
        pool = functional.pad(pool if self.pooled is None else self.pooled(pool), self.padding)
        last = [] if self.pointwise is None else [self.pointwise(x)]
        return torch.cat([*(branch(x) for branch in self.convolved), pool, *last], 1)


def _optional(source: Source, prefix: str) -> Unit | None:
    """Return the unit with this prefix; None if the block has no such branch."""
    return Unit(source, f"{prefix}_conv", f"{prefix}_bn") if f"{prefix}_conv" in source else None


class OpenFace(nn.Module):
    """OpenFace nn4.small2: (N, 3, 96, 96) float32 BGR in [0, 1] to (N, 128) float32 embeddings of length 1."""

    def __init__(self, layers: Mapping[str, Weights]) -> None:
        super().__init__()
        source = Source(layers, "OpenFace")
        self.first = Unit(source, "conv1", "bn1", stride=2, padding=3)
        self.second = Unit(source, "conv2", "bn2")
        self.third = Unit(source, "conv3", "bn3", padding=1)
        self.blocks = nn.Sequential(*(Block(source, name) for name in BLOCKS))
        kernel, bias = source.take("dense_layer", 2)
        self.dense = dense(kernel, bias)
        source.finish()

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 96, 96) float32 to (N, 128) float32."""
        x = _local_response(functional.max_pool2d(functional.pad(self.first(crops), (1, 1, 1, 1)), 3, 2))
        x = _local_response(self.third(self.second(x)))
        x = self.blocks(functional.max_pool2d(functional.pad(x, (1, 1, 1, 1)), 3, 2))
        x = cast(Tensor, self.dense(x.mean((2, 3))))
        return x / torch.sqrt((x * x).sum(1, keepdim=True).clamp_min(SHORTEST))


def _local_response(x: Tensor) -> Tensor:
    """Normalize the local response as TensorFlow does."""
    size = 2 * RADIUS + 1
    return functional.local_response_norm(x, size, ALPHA * size, BETA, 1.0)
