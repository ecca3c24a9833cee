"""RetinaFace with MobileNet 0.25: backbone, feature pyramid, context modules and heads.

Layer sizes and names are those of the state of biubug6/Face-Detector-1MB-with-landmark, so that it loads strictly.
The papers are J. Deng et al., "RetinaFace", 2019 (arXiv 1905.00641), and, for the context modules, M. Najibi et al.,
"SSH", 2017 (arXiv 1708.03979).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

# Separable convolutions (outputs, stride) of each stage. Before them, stage 1 has a plain one of 8 channels, stride 2.
STAGES = (
    ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1)),
    ((128, 2), (128, 1), (128, 1), (128, 1), (128, 1), (128, 1)),
    ((256, 2), (256, 1)),
)
STEM, WIDTH = 8, 64  # channels of the first convolution, and of the pyramid
ANCHORS = 2  # per cell


def _convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, rectified: bool = True) -> nn.Module:
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([nn.ReLU()] if rectified else []))


def _separable(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Body(nn.Module):
    """The backbone: maps at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        inputs = STEM
        for number, table in enumerate(STAGES, 1):
            stage = nn.Sequential() if number > 1 else nn.Sequential(_convolution(3, STEM, stride=2))
            for outputs, stride in table:
                stage.append(_separable(inputs, outputs, stride))
                inputs = outputs
            self.add_module(f"stage{number}", stage)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) to the maps at strides 8, 16 and 32."""
        maps: list[Tensor] = []
        x = pixels
        for stage in self.children():
            x = stage(x)
            maps.append(x)
        return maps


class Pyramid(nn.Module):
    """The feature pyramid: each coarser map is enlarged and added to the next finer one."""

    def __init__(self) -> None:
        super().__init__()
        for number, table in enumerate(STAGES, 1):
            self.add_module(f"output{number}", _convolution(table[-1][0], WIDTH, 1))
        self.merge1, self.merge2 = _convolution(WIDTH, WIDTH), _convolution(WIDTH, WIDTH)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Map three maps, fine to coarse, to WIDTH channels each; each must have half the sides of the one before."""
        fine, middle, coarse = (self.get_submodule(f"output{k}")(x) for k, x in enumerate(maps, 1))
        middle = self.merge2(middle + nn.functional.interpolate(coarse, scale_factor=2.0))
        fine = self.merge1(fine + nn.functional.interpolate(middle, scale_factor=2.0))
        return [fine, middle, coarse]


class Context(nn.Module):
    """SSH's context module: convolutions of 3x3, and of 5x5 and 7x7 as chains of 3x3."""

    def __init__(self) -> None:
        super().__init__()
        quarter = WIDTH // 4
        self.conv3X3 = _convolution(WIDTH, WIDTH // 2, rectified=False)
        self.conv5X5_1 = _convolution(WIDTH, quarter)
        self.conv5X5_2 = _convolution(quarter, quarter, rectified=False)
        self.conv7X7_2 = _convolution(quarter, quarter)
        self.conv7x7_3 = _convolution(quarter, quarter, rectified=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, WIDTH, H, W) to the same shape."""
        near = self.conv5X5_1(x)
        parts = self.conv3X3(x), self.conv5X5_2(near), self.conv7x7_3(self.conv7X7_2(near))
        return torch.relu(torch.cat(parts, 1))


class Head(nn.Module):
    """A head: `size` numbers for each anchor of each cell."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.conv1x1 = nn.Conv2d(WIDTH, ANCHORS * size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, WIDTH, H, W) to (N, H * W * ANCHORS, size)."""
        cells = cast(Tensor, self.conv1x1(x)).permute(0, 2, 3, 1)
        return cells.reshape(x.shape[0], -1, self.size)


class RetinaFace(nn.Module):
    """RetinaFace: (N, 3, H, W) float32 BGR, less the mean, to offsets and scores of A anchors.

    The outputs are box offsets (N, A, 4), scores (N, A, 2) of (no face, face), and landmark offsets (N, A, 10). H and W
    are multiples of 32; the anchors are those of strides 8, 16 and 32, in this order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body, self.fpn = Body(), Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = Context(), Context(), Context()
        self.ClassHead, self.BboxHead, self.LandmarkHead = (
            nn.ModuleList(Head(size) for _ in STAGES) for size in (2, 4, 10)
        )

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (N, 3, H, W) float32 to box offsets, scores and landmark offsets."""
        maps = self.fpn(self.body(pixels))
        maps = [context(x) for context, x in zip((self.ssh1, self.ssh2, self.ssh3), maps, strict=True)]
        heads = (self.BboxHead, self.ClassHead, self.LandmarkHead)
        boxes, classes, points = (torch.cat([head(x) for head, x in zip(row, maps, strict=True)], 1) for row in heads)
        return boxes, torch.softmax(classes, -1), points
