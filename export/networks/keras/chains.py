"""deepface's networks that are a chain of layers, or nearly: DeepID, its emotion network, Facebook's DeepFace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from facecli.export.networks.keras.layers import LocallyConnected, Source, convolution, dense
from facecli.export.weights.keras_file import Weights


class DeepId(nn.Module):
    """DeepID (Y. Sun, X. Wang, X. Tang, CVPR 2014): (N, 3, 55, 47) float32 BGR in [0, 1] to (N, 160) float32."""

    def __init__(self, layers: Mapping[str, Weights]) -> None:
        super().__init__()
        source = Source(layers, "DeepID")
        self.convolutions = nn.ModuleList(convolution(*source.take(f"Conv{number}", 2)) for number in range(1, 5))
        self.third = dense(*source.take("fc11", 2), pixels=(5, 4))
        self.fourth = dense(*source.take("fc12", 2), pixels=(4, 3))
        source.finish()

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 55, 47) float32 to (N, 160) float32, from the maps of the third and the fourth convolution."""
        x = crops
        for layer in self.convolutions[:3]:
            x = functional.max_pool2d(functional.relu(layer(x)), 2)
        last = functional.relu(self.convolutions[3](x))
        return functional.relu(self.third(x.flatten(1)) + self.fourth(last.flatten(1)))


class Expression(nn.Module):
    """deepface's emotion network, trained on FER2013: (N, 1, 224, 224) float32 grey in [0, 1] to (N, 7) float32.

    deepface resizes every face to 224x224 first and then to 48x48, without averaging; the network repeats the second.
    """

    SIDE = 48

    def __init__(self, layers: Mapping[str, Weights]) -> None:
        super().__init__()
        source = Source(layers, "deepface's emotion network")
        first, *others = (convolution(*source.following(2)) for _ in range(5))
        relu = nn.ReLU()
        self.body = nn.Sequential(
            *(first, relu, nn.MaxPool2d(5, 2)),
            *(others[0], relu, others[1], relu, nn.AvgPool2d(3, 2)),
            *(others[2], relu, others[3], relu, nn.AvgPool2d(3, 2)),
            *(nn.Flatten(), dense(*source.following(2)), relu, dense(*source.following(2)), relu),
            *(dense(*source.following(2)), nn.Softmax(1)),
        )
        source.finish()

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 1, 224, 224) float32 to (N, 7) float32, rows summing to 1."""
        small = functional.interpolate(crops, (self.SIDE, self.SIDE), mode="bilinear", align_corners=False)
        return cast(Tensor, self.body(small))


class DeepFace(nn.Module):
    """Facebook's DeepFace (Y. Taigman et al., CVPR 2014).

    (N, 3, 152, 152) float32 BGR in [0, 1] to (N, 4096) float32.
    """

    def __init__(self, layers: Mapping[str, Weights]) -> None:
        super().__init__()
        source = Source(layers, "Facebook's DeepFace")
        self.first, self.second = (convolution(*source.take(name, 2)) for name in ("C1", "C3"))
        self.local = nn.Sequential(
            LocallyConnected(*source.take("L4", 2), side=9),
            LocallyConnected(*source.take("L5", 2), side=7, stride=2),
            LocallyConnected(*source.take("L6", 2), side=5),
        )
        self.dense = dense(*source.take("F7", 2), pixels=(21, 21))
        source.finish(unused=("F8",))  # the classes, one per identity of its training

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 152, 152) float32 to (N, 4096) float32, not negative."""
        # Keras's "same" adds one row and one column at the end, which is the overhanging window of ceil_mode.
        x = functional.max_pool2d(functional.relu(self.first(crops)), 3, 2, ceil_mode=True)
        x = self.local(functional.relu(self.second(x)))
        return torch.relu(self.dense(x.flatten(1)))
