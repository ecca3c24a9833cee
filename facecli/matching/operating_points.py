"""The user's own operating points, as JSON files in a folder: each for one recognizer, its files, and one detector."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facecli.contract import OperatingPoint
from facecli.contract.operating_point import METRICS
from facecli.errors import ModelError, UsageError
from facecli.system.files import write_bytes

FOLDER = "operating_points"
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._@-]{0,99}")
SCHEMA = "facecli.operating-point/1"
CATALOGUE = "catalogue"  # what names the catalogue's own point, so that no other may be called so


@dataclass(frozen=True, slots=True)
class Calibrated:
    """An operating point with its name, what it holds for, and when (ISO 8601) and from what it was found.

    identity: what `Toolbox.identity` tells: recognizer, sha256 of its files, preprocessing version, parameters, crop if
    changed, and the detector with its files and those of its parameters that are texts.
    """

    name: str
    identity: Mapping[str, Any]
    point: OperatingPoint
    created: str
    evidence: Mapping[str, Any]


class Shelf:
    """The operating points below a folder, which need not exist."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER

    def path(self, name: str) -> Path:
        """Where the point of this name is kept. Raises UsageError for what is no name."""
        if not NAME.fullmatch(name) or name == CATALOGUE:
            raise UsageError(f"{name[:40]!r} can not name an operating point", hint="use letters, digits, - _ . and @")
        return self._folder / f"{name}.json"

    def save(self, own: Calibrated) -> Path:
        """Keep a point, in place of one of the same name. Raises OutputError where the file system refuses."""
        path = self.path(own.name)
        record = {"schema": SCHEMA, **asdict(own)}
        write_bytes(path, (json.dumps(record, indent=2, allow_nan=False) + "\n").encode())
        return path

    def remove(self, name: str) -> None:
        """Forget a point. Raises UsageError if there is none of this name."""
        try:
            self.path(name).unlink()
        except FileNotFoundError:
            raise self._missing(name) from None

    def load(self, name: str) -> Calibrated:
        """The point of this name. Raises UsageError if there is none, ModelError if its file is damaged."""
        path = self.path(name)
        if not path.is_file():
            raise self._missing(name)
        return _read(path)

    def all(self) -> list[Calibrated]:
        """Every point, the newest first. Raises ModelError if a file is damaged."""
        if not self._folder.is_dir():
            return []
        files = [path for path in sorted(self._folder.glob("*.json")) if NAME.fullmatch(path.stem)]
        return sorted(map(_read, files), key=lambda own: own.created, reverse=True)

    def matching(self, identity: Mapping[str, Any]) -> list[OperatingPoint]:
        """The points that hold for this recognizer and detector, the newest first."""
        return [own.point for own in self.all() if own.identity == identity]

    def _missing(self, name: str) -> UsageError:
        known = ", ".join(sorted(path.stem for path in self._folder.glob("*.json"))) or "none"
        return UsageError(f"there is no operating point {name!r}", hint=f"there are: {known}")


def _read(path: Path) -> Calibrated:
    try:
        return _parsed(json.loads(path.read_bytes().decode()), path.stem)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"the operating point {path} is damaged: {type(error).__name__}: {error}"
        raise ModelError(message, hint=f"delete {path} and calibrate again") from error


def _parsed(record: dict[str, Any], name: str) -> Calibrated:
    if record.pop("schema") != SCHEMA or record["name"] != name:
        raise ValueError("its schema or its name is another")
    point = record.pop("point")
    by_fmr = tuple((_number(fmr), _threshold(threshold)) for fmr, threshold in point.pop("by_fmr"))
    equivalents = {str(metric): _threshold(value) for metric, value in point.pop("equivalents").items()}
    own = OperatingPoint(**point, equivalents=equivalents, by_fmr=by_fmr)
    _threshold(own.threshold)
    if own.metric not in METRICS:
        raise ValueError("its metric is unknown")
    return Calibrated(point=own, **record)


def _threshold(value: Any) -> float:
    if _number(value) <= 0:
        raise ValueError(f"a threshold of {value} recognises nobody")
    return float(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _refuse_another(shelf: Shelf, name: str, identity: Mapping[str, Any]) -> None:
    """A name that holds for another recognizer, detector or parameters is not given away."""
    for own in shelf.all():
        if own.name == name and own.identity != identity:
            message = f"the operating point {name} is of another recognizer, detector or parameters"
            raise UsageError(message, hint=f"choose another --name, or facecli calibrate --remove {name}")
