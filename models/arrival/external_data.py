"""Joining an ONNX model with the files beside it that hold its weights: the store hashes and moves single files.

PyTorch's exporter writes such files, NAME.onnx.data, unless it is told not to. The numbers of the fields are those of
onnx.proto; the entries of `external_data` are described in ONNX's docs/ExternalData.md.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from facecli.errors import ModelError
from facecli.models.arrival.protobuf import contents, field, fields

LARGEST = 2**31 - 1  # bytes of a message, by the rules of Protocol Buffers
_TENSOR, _GRAPH, _NODE, _ATTRIBUTE, _MODEL = "tensor", "graph", "node", "attribute", "model"
# Kind of message -> number of a field -> kind of the message in it; other fields hold no tensors.
_NESTED: Mapping[str, Mapping[int, str]] = {
    _MODEL: {7: _GRAPH},
    _GRAPH: {1: _NODE, 5: _TENSOR},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH},
}
_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 9, 13, 14
_EXTERNAL = 1  # value of data_location
_KEY, _VALUE = 1, 2

Parts = list[bytes | memoryview]


def join_external_data(model: bytes, folder: Path) -> tuple[bytes, tuple[str, ...]]:
    """Return an ONNX model with all weights inside, and the names of the files in `folder` that they came from.

    A model that has its weights inside comes back as it is. Raises ModelError for a file that is missing, is no plain
    file of the folder, or is too short, and for weights that no single file can hold; ValueError if the bytes are no
    ONNX model.
    """
    joiner = _Joiner(folder)
    parts = joiner.joined(memoryview(model), _MODEL)
    if not joiner.files:
        return model, ()
    if sum(map(len, parts)) > LARGEST:
        raise ModelError("its weights are too large for one file", hint="convert them to float16")
    return b"".join(parts), tuple(joiner.files)


class _Joiner:
    """Puts external weights into messages. files: name -> content of those that were needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files: dict[str, memoryview] = {}

    def joined(self, message: memoryview, kind: str) -> Parts:
        """Return the parts of a message with all tensors in it whole."""
        if kind == _TENSOR:
            return self._whole(message)
        parts: Parts = []
        for entry in fields(message):
            nested = _NESTED[kind].get(entry.number)
            parts += field(entry.number, self.joined(entry.content, nested)) if nested else [entry.whole]
        return parts

    def _whole(self, tensor: memoryview) -> Parts:
        entries = list(fields(tensor))
        if not any(entry.number == _DATA_LOCATION and entry.value == _EXTERNAL for entry in entries):
            return [tensor]
        moved = (_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION)
        kept: Parts = [entry.whole for entry in entries if entry.number not in moved]
        place = dict(_pair(entry.content) for entry in entries if entry.number == _EXTERNAL_DATA)
        return kept + field(_RAW_DATA, [self._weights(place)])

    def _weights(self, place: Mapping[str, str]) -> memoryview:
        name = place.get("location", "")
        content = self._content(name)
        start = int(place.get("offset", 0))
        end = start + int(place["length"]) if "length" in place else len(content)
        if not 0 <= start <= end <= len(content):
            raise ModelError(f"{name} is shorter than the model says", hint="copy or export both again")
        return content[start:end]

    def _content(self, name: str) -> memoryview:
        if name not in self.files:
            if Path(name).name != name or name in ("", ".", ".."):
                hint = "put it beside the model, and export both again"
                raise ModelError(f"its weights lie in {name!r:.60}, not beside it", hint=hint)
            self.files[name] = memoryview(_read(self._folder / name))
        return self.files[name]


def _read(path: Path) -> bytes:
    """Return the content of a plain file. A link might lead anywhere, and a device has no end."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise ModelError(f"its weights lie in {path.name}, which is no plain file", hint="copy them there")
        return path.read_bytes()
    except FileNotFoundError as error:
        message = f"its weights lie in {path.name}, which is not beside it"
        raise ModelError(message, hint=f"put {path.name} there") from error
    except OSError as error:
        raise ModelError(f"{path.name} can not be read: {error.strerror}", hint="check its permissions") from error


def _pair(entry: memoryview) -> tuple[str, str]:
    key, value = (next(map(bytes, contents(entry, number)), b"") for number in (_KEY, _VALUE))
    return key.decode("utf-8", "replace"), value.decode("utf-8", "replace")
