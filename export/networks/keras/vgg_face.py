"""VGG-Face (O. Parkhi, A. Vedaldi, A. Zisserman, BMVC 2015) and deepface's age, gender and race heads on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from facecli.errors import ExportError
from facecli.export.networks.keras.layers import Source, convolution
from facecli.export.weights.keras_file import Weights

# The number of 3x3 convolutions before each max pool. Behind the last are convolutions of 7x7, 1x1, and the head's 1x1.
STAGES = (2, 2, 3, 3, 3)
SHORTEST = 1e-12  # least length that a descriptor is divided by


class VggFace(nn.Module):
    """The trunk: (N, 3, 224, 224) float32 BGR in [0, 1] to (N, 4096, 1, 1) float32."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for count in STAGES:
            for _ in range(count):
                layers += [convolution(*source.following(2), padding=1), nn.ReLU()]
            layers.append(nn.MaxPool2d(2))
        for _ in range(2):
            layers += [convolution(*source.following(2)), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 224, 224) float32 to (N, 4096, 1, 1) float32."""
        return cast(Tensor, self.layers(crops))


class Descriptor(nn.Module):
    """VGG-Face as deepface uses it: embeddings (N, 4096) float32 of length 1."""

    def __init__(self, layers: Mapping[str, Weights]) -> None:
        super().__init__()
        source = Source(layers, "VGG-Face")
        self.trunk = VggFace(source)
        source.following(2)  # the classes, one per identity of its training
        source.finish()

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 224, 224) float32 to (N, 4096) float32."""
        x: Tensor = self.trunk(crops).flatten(1)
        return x / torch.sqrt((x * x).sum(1, keepdim=True)).clamp_min(SHORTEST)


class Classifier(nn.Module):
    """VGG-Face with a head of deepface's: probabilities (N, classes), or their mean in years, (N, 1).

    Raises ExportError for a head with another number of classes.
    """

    def __init__(self, layers: Mapping[str, Weights], classes: int, *, years: bool) -> None:
        super().__init__()
        source = Source(layers, "deepface's VGG-Face with a head")
        self.trunk = VggFace(source)
        self.head = convolution(*source.following(2))
        source.finish()
        if self.head.out_channels != classes:
            raise ExportError(f"this head tells {self.head.out_channels} classes apart, not {classes}")
        # Class j of the age head is the age of j years; deepface answers with their mean.
        self.ages = nn.Parameter(torch.arange(float(classes))[:, None], requires_grad=False) if years else None

    def forward(self, crops: Tensor) -> Tensor:
        """Map (N, 3, 224, 224) float32 to (N, classes) float32, or (N, 1) float32 years."""
        probabilities = torch.softmax(self.head(self.trunk(crops)).flatten(1), 1)
        return probabilities if self.ages is None else probabilities @ self.ages
