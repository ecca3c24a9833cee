"""Reads layers and weights from a Keras HDF5 model file, without TensorFlow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecli.errors import ExportError


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer: its class, its settings, and its weights float32 in Keras's order and layout (kernels are HWIO)."""

    kind: str
    name: str
    settings: dict[str, Any]
    weights: tuple[NDArray[np.float32], ...]


def read_layers(path: Path) -> tuple[Layer, ...]:
    """All layers in the order of the model's configuration. Raises ExportError if the file is no such model."""
    try:
        import h5py
    except ImportError as error:
        raise ExportError("reading Keras weights needs h5py", hint='pip install "facecli[export]"') from error
    try:
        with h5py.File(path, "r") as file:
            layers = json.loads(file.attrs["model_config"])["config"]["layers"]
            return tuple(_layer(layer, file["model_weights"]) for layer in layers)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ExportError(f"{path} is no Keras HDF5 model: {error}") from error


def _layer(entry: dict[str, Any], groups: Any) -> Layer:
    group = groups[entry["name"]]
    names = [name.decode() if isinstance(name, bytes) else str(name) for name in group.attrs["weight_names"]]
    weights = tuple(np.asarray(group[name], np.float32) for name in names)
    return Layer(entry["class_name"], entry["name"], entry["config"], weights)
