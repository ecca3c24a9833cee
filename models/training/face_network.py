"""A teacher that already knows faces: dlib's face recognition network (CC0), with a new last layer for our classes."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from facecli.errors import UsageError
from facecli.export.dlib_file import read_layers
from facecli.export.dlib_resnet import build_network
from facecli.export.recipes.dlib_resnet import FILE, MEAN, SHA256, STD
from facecli.export.weights import packaged, require_sha256

FEATURES = 256


class FaceNetwork(nn.Module):
    """(N, 1, 150, 150) float32 grey in [-1, 1] to (N, outputs) logits.

    frozen: how many of the first blocks keep dlib's weights, with the stem; they cost most of the time and learn least.
    """

    def __init__(self, outputs: int, *, dropout: float = 0.0, frozen: int = 0) -> None:
        super().__init__()
        path = packaged("face_recognition_models", FILE, "face_recognition_models")
        require_sha256(path, SHA256)
        faces = build_network(read_layers(path))
        self.stem = _grey_stem(faces.stem)
        self.blocks = faces.blocks
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(FEATURES, outputs)
        if frozen:
            self.stem.requires_grad_(requires_grad=False)
            self.blocks[:frozen].requires_grad_(requires_grad=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 1, 150, 150) float32 -> (N, outputs) float32."""
        x = functional.max_pool2d(functional.relu(self.stem(pixels)), 3, 2)
        return cast(Tensor, self.head(self.dropout(self.blocks(x).mean((2, 3)))))


def build_face_network(outputs: int, **options: object) -> FaceNetwork:
    """A FaceNetwork from a configuration's options. Raises UsageError, or ExportError where dlib's file is missing."""
    try:
        return FaceNetwork(outputs, **options)  # type: ignore[arg-type] # checked by the call itself
    except TypeError as error:
        raise UsageError(f"the options of network 'face' do not fit: {error}") from error


def _grey_stem(colour: nn.Conv2d) -> nn.Conv2d:
    """The first convolution for grey pixels in [-1, 1]; exact, for it has no padding."""
    grey = nn.Conv2d(1, colour.out_channels, colour.kernel_size, colour.stride)  # type: ignore[arg-type] # torch says so
    assert colour.bias is not None
    with torch.no_grad():
        grey.weight.copy_(colour.weight.sum(1, keepdim=True) * 127.5 / STD)
        offset = (127.5 - torch.tensor(MEAN)) / STD
        assert grey.bias is not None
        grey.bias.copy_(colour.bias + (colour.weight.sum((2, 3)) * offset).sum(1))
    return grey
