"""The entries that facecli ships: one TOML file per model, read only when that model is asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from facecli.contract import CropSpec, ModelArchive, ModelFile, ModelSpec, OperatingPoint, Preprocessing
from facecli.errors import ModelError

PACKAGE = Path(__file__).parents[1]
FOLDER = PACKAGE / "catalogue"
EMBEDDED = PACKAGE / "embedded"
ARCHIVES = PACKAGE / "archives.toml"


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
    """A catalogue entry as ModelSpec; its TOML keys are ModelSpec's fields."""
    crop, preprocessing, point = entry.get("crop"), entry.get("preprocessing"), entry.get("operating_point")
    converted = entry | {
        "files": tuple(_file(f) for f in entry["files"]),
        "labels": tuple(entry.get("labels", ())),
        "accuracy": tuple(entry.get("accuracy", ())),
        "crop": None if crop is None else CropSpec(**crop | {"template": _points(crop.get("template"))}),
        "preprocessing": None if preprocessing is None else _preprocessing(preprocessing),
        "operating_point": None if point is None else _operating_point(point),
    }
    return ModelSpec(**converted)


def packed_in(archive: ModelArchive) -> Iterator[tuple[ModelSpec, ModelFile]]:
    """The models of the catalogue that have files in an archive, with each of those files."""
    for spec in filter(None, map(load, model_ids())):
        yield from ((spec, file) for file in spec.files if archive in dict(file.packed))


def _file(entry: dict[str, Any]) -> ModelFile:
    keys = {"name", "sha256", "size", "urls", "packed", "embedded"}
    if unknown := entry.keys() - keys:
        raise ValueError(f"a file has no {', '.join(sorted(unknown))}")
    path = EMBEDDED / entry["name"] if entry.get("embedded") else None
    packed = entry.get("packed")
    if packed and "sha256" not in entry:
        raise ValueError(f"{entry['name']} is packed and has no sha256")
    return ModelFile(
        entry["name"],
        entry.get("sha256"),
        entry.get("size"),
        tuple(entry.get("urls", ())),
        path,
        tuple(map(_member, packed)) if packed else (),
    )


@cache
def archives() -> dict[str, ModelArchive]:
    """The archives that files of the catalogue are packed in, by name. Raises ModelError if their list is damaged."""
    try:
        known = tomllib.loads(ARCHIVES.read_text("utf-8"))
        return {name: ModelArchive(name, **entry | {"urls": tuple(entry["urls"])}) for name, entry in known.items()}
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"the catalogue's {ARCHIVES} is damaged: {error}", hint="reinstall facecli") from error


def _member(place: str) -> tuple[ModelArchive, str]:
    """The place ARCHIVE.zip/NAME: the archive and the file's name in it."""
    archive, _, name = place.partition("/")
    return archives()[archive], name


def _points(points: list[list[float]] | None) -> Any:
    return None if points is None else tuple((float(x), float(y)) for x, y in points)


def _preprocessing(entry: dict[str, Any]) -> Preprocessing:
    return Preprocessing(**entry | {"mean": tuple(entry["mean"]), "std": tuple(entry["std"])})


def _operating_point(entry: dict[str, Any]) -> OperatingPoint:
    by_fmr = tuple((float(fmr), float(threshold)) for fmr, threshold in entry.get("by_fmr", ()))
    return OperatingPoint(**entry | {"by_fmr": by_fmr})
