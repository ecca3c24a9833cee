"""The layouts that Keras has written weights in, made here with h5py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.errors import ExportError
from facecli.export.weights.keras_file import read_weights

h5py = pytest.importorskip("h5py", reason="reading Keras weights needs h5py")
LAYERS = {
    "conv2d": {"kernel": np.arange(12.0).reshape(1, 1, 3, 4), "bias": np.arange(4.0)},
    "relu": {},
    "a_dense": {"kernel": np.ones((4, 2))},
}


def write_legacy(group: Any, layers: dict[str, dict[str, np.ndarray]], parts: int = 1) -> None:
    """As Keras 2's save_weights writes; `parts`: how many attributes the list of layers is split into."""
    names = np.array([name.encode() for name in layers])
    if parts == 1:
        group.attrs["layer_names"] = names
    for number, some in enumerate(np.array_split(names, parts) if parts > 1 else ()):
        group.attrs[f"layer_names{number}"] = some
    for name, weights in layers.items():
        own = group.create_group(name)
        own.attrs["weight_names"] = np.array([f"{name}/{weight}:0".encode() for weight in weights], "S")
        for weight, value in weights.items():
            own.create_dataset(f"{name}/{weight}:0", data=value)


def write_new(file: Any, layers: dict[str, dict[str, np.ndarray]], *, named: bool) -> None:
    """As Keras 3's `.weights.h5`: groups by class with a number, variables by number, the name in an attribute."""
    for place, (name, weights) in enumerate(layers.items()):
        variables = file.create_group(f"layers/conv2d{f'_{place}' if place else ''}/vars")
        if named:
            variables.attrs["name"] = name
        for number, value in enumerate(weights.values()):
            variables.create_dataset(str(number), data=value)


def same(found: dict[str, tuple[np.ndarray, ...]], names: list[str]) -> None:
    assert list(found) == names
    for own, layer in zip(found.values(), (layer for layer in LAYERS.values() if layer), strict=True):
        assert all(array.dtype == np.float32 for array in own)
        for array, expected in zip(own, layer.values(), strict=True):
            np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("parts", [1, 2])
def test_weights_alone(tmp_path: Path, parts: int) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        write_legacy(file, LAYERS, parts)
    same(read_weights(tmp_path / "w.h5"), ["conv2d", "a_dense"])


def test_a_whole_model(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = "{}"
        write_legacy(file.create_group("model_weights"), LAYERS)
    same(read_weights(tmp_path / "m.h5"), ["conv2d", "a_dense"])


@pytest.mark.parametrize(("named", "names"), [(True, ["conv2d", "a_dense"]), (False, ["conv2d", "conv2d_2"])])
def test_keras_3(tmp_path: Path, named: bool, names: list[str]) -> None:
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        write_new(file, LAYERS, named=named)
    same(read_weights(tmp_path / "w.weights.h5"), names)


def test_layers_of_a_class_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    many = {f"c{number}": {"kernel": np.full((1,), number)} for number in range(12)}
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        write_new(file, many, named=True)
    assert list(read_weights(tmp_path / "w.weights.h5")) == list(many)


@pytest.mark.parametrize("content", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.h5").write_bytes(content)
    with pytest.raises(ExportError, match=r"w\.h5 is no Keras HDF5 weights file"):
        read_weights(tmp_path / "w.h5")


def test_hdf5_that_is_no_keras_file_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("x", data=[1])
    with pytest.raises(ExportError, match="no Keras HDF5 weights file"):
        read_weights(tmp_path / "w.h5")
    with pytest.raises(ExportError, match="no Keras HDF5 weights file"):
        read_weights(tmp_path / "missing.h5")
