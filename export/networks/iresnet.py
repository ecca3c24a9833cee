"""IResNet: ArcFace's improved residual network (arXiv 1801.07698, section 3.2.2), with the names of arcface_torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

# Number in the network's name -> residual blocks of each stage.
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
CHANNELS = (64, 128, 256, 512)
SIDE, DIM = 112, 512


class Block(nn.Module):
    """A residual block: BN-Conv-BN-PReLU-Conv-BN beside a shortcut. The second convolution has the stride."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H / stride, W / stride)."""
        y = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return cast(Tensor, y + (x if self.downsample is None else self.downsample(x)))


class IResNet(nn.Module):
    """IResNet: (N, 3, 112, 112) float32 RGB, (x - 127.5) / 127.5, to (N, 512) float32 embeddings, not of unit length.

    depths: the number of blocks of each of the four stages, as in DEPTHS.
    """

    def __init__(self, depths: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, CHANNELS[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(CHANNELS[0])
        self.prelu = nn.PReLU(CHANNELS[0])
        inputs = CHANNELS[0]
        for k, (outputs, depth) in enumerate(zip(CHANNELS, depths, strict=True), 1):
            blocks = [Block(inputs, outputs, 2), *(Block(outputs, outputs, 1) for _ in range(depth - 1))]
            self.add_module(f"layer{k}", nn.Sequential(*blocks))
            inputs = outputs
        self.bn2 = nn.BatchNorm2d(inputs)
        self.fc = nn.Linear(inputs * (SIDE // 16) ** 2, DIM)
        self.features = nn.BatchNorm1d(DIM)

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 112, 112) float32 to (N, 512) float32."""
        x = self.prelu(self.bn1(self.conv1(crops)))
        for k in range(1, len(CHANNELS) + 1):
            x = self.get_submodule(f"layer{k}")(x)
        return cast(Tensor, self.features(self.fc(self.bn2(x).flatten(1))))
