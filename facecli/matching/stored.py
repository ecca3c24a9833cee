"""Stored embeddings, as `facecli embed -o FILE.npz` writes them, and the rule by which they are compared.

No model runs: the file says which recognizer and detector made its rows, and with what parameters.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from facecli.contract.plugin import Plugin
from facecli.errors import FacecliError, InputError, UsageError
from facecli.hosting import identity
from facecli.hosting.choice import load_recognizer
from facecli.hosting.presets import PRESETS
from facecli.hosting.registry import Registry
from facecli.matching.rules import DecisionRequest, rule_for
from facecli.matching.thresholds import DecisionRule
from facecli.models.store import ModelStore
from facecli.system.files import require_file
from facecli.types import FloatArray

HINT = "make it with `facecli embed INPUTS -o FILE.npz`"


@dataclass(frozen=True, slots=True, eq=False)
class StoredEmbeddings:
    """Embeddings from a file. rows: (N, dim) float32. sources, faces: the picture of each, and the index of its face.

    header: the document that the embeddings were written with, which describes the recognizer and the detector.
    """

    path: Path
    rows: FloatArray
    sources: tuple[str, ...]
    faces: tuple[int, ...]
    header: Mapping[str, Any]

    @property
    def identity(self) -> dict[str, Any]:
        """All that must be equal for two embeddings to be comparable, in the form of `Toolbox.identity`."""
        recognizer, detector = self.header["recognizer"], self.header["detector"]
        return {
            "recognizer": recognizer["plugin"],
            "models": _sha256_of(recognizer),
            "preprocessing_version": recognizer["preprocessing_version"],
            "parameters": recognizer["parameters"],
            "detector": detector and detector["plugin"],
            "detector_models": detector and _sha256_of(detector),
            "detector_parameters": {k: v for k, v in detector["parameters"].items() if isinstance(v, str)}
            if detector
            else {},
            **({"crop": recognizer["crop"]} if "crop" in recognizer else {}),
        }

    def check(self) -> None:
        """Raise ValueError, KeyError or TypeError for embeddings that are not as they are written."""
        count, dim = self.rows.shape
        if not (count == len(self.sources) == len(self.faces) and dim == self.header["recognizer"]["dim"]):
            raise ValueError("its arrays do not fit each other")
        if not np.isfinite(self.rows).all():
            raise ValueError("its embeddings are no numbers")
        if self.header.get("preset") not in (None, *PRESETS):
            raise ValueError("its preset is unknown")
        _ = self.identity


@dataclass(frozen=True, slots=True)
class _Origin:
    """The circumstances in which stored embeddings were made, in the place of a toolbox."""

    stored: StoredEmbeddings
    store: ModelStore

    def parameters(self, plugin: Plugin) -> dict[str, Any]:  # noqa: ARG002 # there is one
        return dict(self.stored.identity["parameters"])

    def changed_crop(self, plugin: Plugin) -> Mapping[str, Any]:  # noqa: ARG002
        return {key: value for key, value in self.stored.identity.items() if key == "crop"}

    def identity(self, recognizer: Plugin) -> dict[str, Any]:  # noqa: ARG002
        return self.stored.identity


def read(path: Path, max_bytes: int) -> StoredEmbeddings:
    """Return the embeddings of an .npz file. Raises InputError for a larger file, or one that is not as we write it."""
    try:
        _check_size(path, max_bytes)
        require_file(path)
        with zipfile.ZipFile(path) as archive:
            rows, sources, faces, meta = (_array(archive, name) for name in ("embedding", "source", "face", "meta"))
        header = json.loads(str(meta))
        stored = StoredEmbeddings(
            path, rows.astype(np.float32), tuple(map(str, sources)), tuple(map(int, faces)), header
        )
        stored.check()
    except FacecliError:
        raise
    except OSError as error:
        raise InputError(f"can not read {path}: {error.strerror or error}", hint="check the name") from error
    except Exception as error:  # whatever zipfile, numpy and json find in a file that somebody has made
        raise InputError(f"{path} holds no embeddings of facecli: {error}", hint=HINT) from error
    return stored


def check_comparable(x: StoredEmbeddings, y: StoredEmbeddings) -> None:
    """Raise UsageError if the embeddings of two files were not made alike."""
    own, other = x.identity, y.identity
    if differing := sorted(key for key in own.keys() | other.keys() if own.get(key) != other.get(key)):
        message = f"{x.path} and {y.path} can not be compared: they differ in {', '.join(differing)}"
        hint = f"embed the pictures of {y.path} again with {{recognizer}} {own['recognizer']}"
        hint += f" {{detector}} {own['detector']}" if own["detector"] else " {no_detect}"
        raise UsageError(message, hint=hint, about=("recognizer", "detector", "no_detect"))


def rule(x: StoredEmbeddings, y: StoredEmbeddings, wish: DecisionRequest, registry: Registry) -> DecisionRule:
    """Return the rule by which the embeddings of two files are compared.

    Raises UsageError if they were not made alike, or if the recognizer's threshold does not hold for them; PluginError
    if the recognizer is not here.
    """
    check_comparable(x, y)
    own = x.identity
    store = ModelStore()
    plugin = load_recognizer(registry, own["recognizer"], {})
    here = identity.sha256_of(plugin, own["parameters"], store), plugin.preprocessing_version
    if here != (own["models"], own["preprocessing_version"]) and wish.threshold is None:
        message = f"{x.path} is of another version of {plugin.name} than this one, whose threshold does not hold for it"
        raise UsageError(message, hint="give {threshold}, or embed the pictures again", about="threshold")
    return rule_for(_Origin(x, store), plugin, wish)


def _check_size(path: Path, max_bytes: int) -> None:
    if (size := path.stat().st_size) > max_bytes:
        message = f"{path} has {size} bytes, more than {max_bytes}"
        raise InputError(message, hint="raise {max_bytes}", about="max_bytes")


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray[Any, Any]:
    """Return an array of an archive; what its header claims is compared with what is there before memory is taken."""
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed")
    with archive.open(info) as stream:
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read_header(stream)
        if dtype.hasobject or fortran or prod(shape) * dtype.itemsize != info.file_size - stream.tell():
            raise ValueError(f"{name} is not what it claims to be")
        return np.frombuffer(stream.read(), dtype).reshape(shape)


def _sha256_of(described: Mapping[str, Any]) -> list[str]:
    return [file["sha256"] for model in described["models"] for file in model["files"]]
