"""Read the weights of dlib's face recognition network from its .dat file, without dlib.

The file is dlib's C++ serialization of the network object (dlib/serialize.h, dlib/dnn/layers.h, dlib/cuda/tensor.h).
This module reads the bytes behind the names of the layers that have weights, and skips the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facecli.errors import ExportError

TENSOR_VERSION = 2
# A name is serialized as a string: the number of bytes of its length, its length, its characters.
_LAYER = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x04fc_2")


@dataclass(frozen=True, slots=True)
class Layers:
    """The weights in forward order, as stored.

    convolutions: flat weights (out * in * h * w) and biases (out) float32. affines: gamma and beta (out) float32, one
    pair per convolution. dense: (outputs, inputs) float32, without a bias.
    """

    convolutions: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    affines: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    dense: NDArray[np.float32]


class Reader:
    """A cursor over dlib's serialization. position: the next byte. Raises ExportError where the content ends early."""

    def __init__(self, content: bytes, position: int = 0) -> None:
        self.content = content
        self.position = position

    def integer(self) -> int:
        """Read a compact integer: one byte of size (low four bits) and sign (high bit), then little-endian bytes."""
        if self.position >= len(self.content):
            raise ExportError("the dlib file ends early")
        control = self.content[self.position]
        start, size = self.position + 1, control & 0x0F
        self.position = start + size
        magnitude = int.from_bytes(self._between(start, self.position), "little")
        return -magnitude if control & 0x80 else magnitude

    def tensor(self) -> NDArray[np.float32]:
        """Read a tensor, flat: its version, four sizes (num_samples, k, rows, columns), then float32 values."""
        version = self.integer()
        if version != TENSOR_VERSION:
            raise ExportError(f"the dlib file has tensors of version {version}, only {TENSOR_VERSION} is understood")
        sizes = [self.integer() for _ in range(4)]
        count = int(np.prod(sizes))
        start, self.position = self.position, self.position + 4 * count
        return np.frombuffer(self._between(start, self.position), "<f4").astype(np.float32)

    def _between(self, start: int, end: int) -> bytes:
        if end > len(self.content):
            raise ExportError("the dlib file ends early")
        return self.content[start:end]


def read_layers(path: Path) -> Layers:
    """Read all weights of a file with con_4, affine_ and fc_2 layers. Raises ExportError if it is no such file."""
    try:
        return parse_layers(path.read_bytes())
    except OSError as error:
        raise ExportError(f"{path} can not be read: {error.strerror}") from error


def parse_layers(content: bytes) -> Layers:
    """Read all weights from a file's content. Raises ExportError if it is no such network.

    dlib serializes a network from its last layer to its input, but each layer's weights only after the layers below
    it: in the file the weights stand in forward order.
    """
    convolutions, affines, dense = [], [], None
    position = 0
    while match := _LAYER.search(content, position):
        reader = Reader(content, match.end())
        name = match.group()[2:]
        if name == b"con_4":
            values = reader.tensor()
            filters = reader.integer()
            convolutions.append((values[:-filters], values[-filters:]))
        elif name == b"affine_":
            values = reader.tensor()
            affines.append((values[: len(values) // 2], values[len(values) // 2 :]))
        else:
            outputs, inputs = reader.integer(), reader.integer()
            dense = reader.tensor().reshape(inputs, outputs).T
        position = reader.position  # behind the weights, whose bytes may look like a layer's name by chance
    if dense is None or not convolutions or len(convolutions) != len(affines):
        counts = f"{len(convolutions)} con_4, {len(affines)} affine_, {0 if dense is None else 1} fc_2"
        raise ExportError(f"this is not dlib's face recognition network: found {counts} layers")
    return Layers(tuple(convolutions), tuple(affines), dense)
