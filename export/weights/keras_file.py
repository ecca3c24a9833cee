"""Read layers and weights from Keras HDF5 files, without TensorFlow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from facecli.errors import ExportError

T = TypeVar("T")
Weights = tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a Keras model.

    kind: the name of its Keras class. settings: its part of the model's configuration. weights: float32 arrays in
    Keras's order and layout; kernels are (height, width, inputs, outputs).
    """

    kind: str
    name: str
    settings: dict[str, Any]
    weights: Weights


def read_layers(path: Path) -> tuple[Layer, ...]:
    """Read all layers of a whole model, in the order of its configuration. Raises ExportError for another file."""

    def read(file: Any) -> tuple[Layer, ...]:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        groups = file["model_weights"]
        return tuple(Layer(e["class_name"], e["name"], e["config"], _weights(groups[e["name"]])) for e in layers)

    return _read(path, "Keras HDF5 model", read)


def read_weights(path: Path) -> dict[str, Weights]:
    """Read the weights of every layer that has any: layer name -> arrays, in the file's order.

    The file is from `save_weights("x.h5")`, from `save("x.h5")`, or Keras 3's `.weights.h5`, which keeps the order
    among layers of one class only. Raises ExportError for another file.
    """

    def read(file: Any) -> dict[str, Weights]:
        if "layer_names" in file.attrs or "layer_names0" in file.attrs or "model_weights" in file:
            group = file.get("model_weights", file)
            layers = {name: _weights(group[name]) for name in _texts(group.attrs, "layer_names")}
        else:
            groups = sorted(file["layers"].items(), key=lambda item: _number_last(item[0]))
            layers = {_name(name, group): _variables(group) for name, group in groups}
        return {name: weights for name, weights in layers.items() if weights}

    return _read(path, "Keras HDF5 weights file", read)


def _read(path: Path, what: str, read: Callable[[Any], T]) -> T:
    try:
        import h5py
    except ImportError as error:
        raise ExportError("reading Keras weights needs h5py", hint='pip install "facecli[export]"') from error
    try:
        with h5py.File(path, "r") as file:
            return read(file)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ExportError(f"{path} is no {what}: {error}") from error


def _weights(group: Any) -> Weights:
    return tuple(np.asarray(group[name], np.float32) for name in _texts(group.attrs, "weight_names"))


def _texts(attributes: Any, name: str) -> Iterator[str]:
    """Yield a list of texts in attributes; Keras splits one that is too long for HDF5 into name0, name1, ..."""
    parts = (
        [name]
        if name in attributes
        else sorted((n for n in attributes if re.fullmatch(rf"{name}\d+", n)), key=_number_last)
    )
    if not parts:
        raise KeyError(name)
    for part in parts:
        for text in attributes[part]:
            yield text.decode() if isinstance(text, bytes) else str(text)


def _variables(group: Any) -> Weights:
    variables = group.get("vars", {})
    return tuple(np.asarray(variables[name], np.float32) for name in sorted(variables, key=_number_last))


def _name(name: str, group: Any) -> str:
    """Return a layer's own name if the file has it, else the group's: the layer's class with a number."""
    attributes = group["vars"].attrs if "vars" in group else {}
    return str(attributes.get("name", name))


def _number_last(name: str) -> tuple[str, int]:
    """Return a key that sorts conv2d, conv2d_1, ..., conv2d_10 in this order."""
    match = re.fullmatch(r"(.*?)_?(\d*)", name)
    assert match
    return match[1], int(match[2] or 0)
