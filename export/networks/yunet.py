"""YuNet-n: a detector of depthwise units, with the names of its state in ShiqiYu/libfacedetection.train.

W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

WIDTH = 64
# Channels (in, out) of the stages after the first.
STAGES = ((16, WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH))
POOLED = (0, 2, 3, 4)  # stages after which the map is halved
LEVELS = (3, 4, 5)  # stages whose maps, at strides 8, 16 and 32, go into the neck
HEADS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}  # name in the state -> numbers per cell


class Unit(nn.Module):
    """A pointwise and a depthwise convolution with bias, then batch normalization and ReLU. last: without the two."""

    def __init__(self, inputs: int, outputs: int, *, last: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs)
        if not last:
            self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        x = self.conv2(self.conv1(x))
        return torch.relu(self.bn(x)) if hasattr(self, "bn") else x


class First(nn.Module):
    """The first stage: a convolution of stride 2 and a unit."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16)
        self.conv2 = Unit(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) to (N, 16, H / 2, W / 2)."""
        return cast(Tensor, self.conv2(torch.relu(self.bn1(self.conv1(x)))))


class Stage(nn.Module):
    """A stage of two units."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Unit(inputs, inputs), Unit(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        return cast(Tensor, self.conv2(self.conv1(x)))


class Backbone(nn.Module):
    """The backbone: six stages, of which the last three give their maps."""

    def __init__(self) -> None:
        super().__init__()
        self.model0 = First()
        for number, channels in enumerate(STAGES, 1):
            self.add_module(f"model{number}", Stage(*channels))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) to the maps at strides 8, 16 and 32."""
        maps = []
        for number, stage in enumerate(self.children()):
            x = stage(x)
            if number in LEVELS:
                maps.append(x)
            if number in POOLED:
                x = nn.functional.max_pool2d(x, 2)
        return maps


class Neck(nn.Module):
    """The neck: each coarser map is enlarged and added to the next finer one."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral_convs = nn.ModuleList(Unit(WIDTH, WIDTH) for _ in LEVELS)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Map three maps, fine to coarse, to three of these shapes; each must have half the sides of the one before."""
        fine, middle, coarse = maps
        coarse = self.lateral_convs[2](coarse)
        middle = self.lateral_convs[1](middle + _enlarged(coarse, middle))
        fine = self.lateral_convs[0](fine + _enlarged(middle, fine))
        return [fine, middle, coarse]


def _enlarged(x: Tensor, target: Tensor) -> Tensor:
    """Enlarge a map to the size of the next finer one.

    That is twice its own size, but torch.export can not prove it after the pools, so the size is taken from the target.
    """
    return nn.functional.interpolate(x, size=target.shape[-2:])


class Heads(nn.Module):
    """The heads of each level, and the unit before them that they share."""

    def __init__(self) -> None:
        super().__init__()
        self.multi_level_share_convs = nn.ModuleList(nn.Sequential(Unit(WIDTH, WIDTH)) for _ in LEVELS)
        for name, size in HEADS.items():
            self.add_module(f"multi_level_{name}", nn.ModuleList(Unit(WIDTH, size, last=True) for _ in LEVELS))

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, ...]:
        """Map three maps to twelve outputs (N, cells, size): each of HEADS at each level."""
        shared = [unit(x) for unit, x in zip(self.multi_level_share_convs, maps, strict=True)]
        outputs = []
        for name, size in HEADS.items():
            levels = cast(nn.ModuleList, self.get_submodule(f"multi_level_{name}"))
            for head, x in zip(levels, shared, strict=True):
                cells = head(x).permute(0, 2, 3, 1).reshape(x.shape[0], -1, size)
                outputs.append(torch.sigmoid(cells) if name in ("cls", "obj") else cells)
        return tuple(outputs)


class YuNet(nn.Module):
    """YuNet-n: (N, 3, H, W) float32 BGR 0..255 to class and object scores, boxes and landmarks, in strides.

    H and W are multiples of 32. There are twelve outputs (N, cells, size): HEADS at strides 8, 16 and 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone, self.neck, self.bbox_head = Backbone(), Neck(), Heads()

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Map (N, 3, H, W) float32 to the twelve outputs."""
        return cast("tuple[Tensor, ...]", self.bbox_head(self.neck(self.backbone(pixels))))
