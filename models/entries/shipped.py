"""The catalogue that facecli ships: one TOML file per model, read only when that model is named."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from facecli.contract import Cohort, ModelArchive, ModelFile, ModelSpec, OperatingPoint
from facecli.errors import ModelError
from facecli.models.entries.building import build

PACKAGE = Path(__file__).parents[1]
FOLDER = PACKAGE / "catalogue"
EMBEDDED = PACKAGE / "embedded"  # the model files in the wheel
ARCHIVES = PACKAGE / "archives.toml"

_FILE_KEYS = {"name", "sha256", "size", "urls", "packed", "embedded"}


def model_ids() -> list[str]:
    """Return the ids of all shipped entries, sorted."""
    return sorted(str(path.relative_to(FOLDER).with_suffix("").as_posix()) for path in FOLDER.rglob("*.toml"))


def load(model_id: str) -> ModelSpec | None:
    """Return the shipped entry of a model, None if there is none. Raises ModelError if the entry is damaged.

    model_id: must match home.ID, so that it can not leave the catalogue's folder.
    """
    path = FOLDER / f"{model_id}.toml"
    try:
        text = path.read_bytes()
    except OSError:
        return None
    try:
        return parse(tomllib.loads(text.decode()))
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # a TOMLDecodeError is a ValueError
        reason = f"{type(error).__name__}: {error}"
        raise ModelError(f"the catalogue's entry {path} is damaged: {reason}", hint="reinstall facecli") from error


def parse(entry: dict[str, Any]) -> ModelSpec:
    """Return a catalogue entry, a TOML table, as ModelSpec. Its keys are ModelSpec's fields.

    Its files have keys of their own: `embedded`, true for a file in the wheel, and `packed`, a list of texts like
    "buffalo_l.zip/w600k.onnx". A cohort has `file` instead of a path, the name of a file in the wheel. Raises
    ValueError, TypeError or KeyError for a damaged entry.
    """
    files = tuple(_file(file) for file in entry["files"])
    model: ModelSpec = build(ModelSpec, {**entry, "files": (), "cohort_point": None})
    point = entry.get("cohort_point")
    return replace(model, files=files, cohort_point=None if point is None else _cohort_point(point))


def packed_in(archive: ModelArchive) -> Iterator[tuple[ModelSpec, ModelFile]]:
    """Yield the models of the catalogue that have files in an archive, with each of those files."""
    for spec in filter(None, map(load, model_ids())):
        yield from ((spec, file) for file in spec.files if archive in dict(file.packed))


@cache
def archives() -> dict[str, ModelArchive]:
    """Return the archives that files of the catalogue are packed in, by name. Raises ModelError if damaged."""
    try:
        tables = tomllib.loads(ARCHIVES.read_text("utf-8"))
        return {name: build(ModelArchive, {"name": name, **table}) for name, table in tables.items()}
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"the catalogue's {ARCHIVES} is damaged: {error}", hint="reinstall facecli") from error


def _file(entry: dict[str, Any]) -> ModelFile:
    if unknown := entry.keys() - _FILE_KEYS:
        raise ValueError(f"a file has no {', '.join(sorted(unknown))}")
    packed = entry.get("packed")
    if packed and "sha256" not in entry:
        raise ValueError(f"{entry['name']} is packed and has no sha256")
    return ModelFile(
        entry["name"],
        entry.get("sha256"),
        entry.get("size"),
        tuple(entry.get("urls", ())),
        EMBEDDED / entry["name"] if entry.get("embedded") else None,
        tuple(map(_member, packed)) if packed else (),
    )


def _cohort_point(entry: dict[str, Any]) -> OperatingPoint:
    table = dict(entry["cohort"])
    path = EMBEDDED / table.pop("file")
    cohort: Cohort = build(Cohort, table, "cohort_point.cohort")
    point: OperatingPoint = build(OperatingPoint, {**entry, "cohort": None}, "cohort_point")
    return replace(point, cohort=replace(cohort, path=path))


def _member(place: str) -> tuple[ModelArchive, str]:
    """Return the archive and the file name of a place ARCHIVE.zip/NAME. Raises KeyError for an unknown archive."""
    archive, _, name = place.partition("/")
    return archives()[archive], name
