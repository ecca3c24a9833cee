"""The operating points that a user has calibrated, kept as JSON files in a folder of the model store."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from facecli.contract import Cohort, OperatingPoint
from facecli.contract.reach import point_fault
from facecli.errors import ModelError, UsageError
from facecli.kinds import COHORT
from facecli.system.files import write_bytes

FOLDER = "operating_points"
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._@-]{0,99}")
SCHEMA = "facecli.operating-point/1"
# The names by which a user asks for the catalogue's point, for that of the weights' publisher, and for the one with a
# cohort; no other point may have them.
CATALOGUE, PUBLISHER = "catalogue", "publisher"
RESERVED = CATALOGUE, PUBLISHER, COHORT


@dataclass(frozen=True, slots=True)
class UserOperatingPoint:
    """An operating point with its name, the plugins that it holds for, and its origin.

    identity: the recognizer and detector that the point was measured with, as `Toolbox.identity` returns them; the
    point holds only where both are exactly the same. created: the time of the calibration, ISO 8601. evidence: the name
    of the list of pairs, the number of pictures that failed, and a note on how far the rate can be trusted.
    """

    name: str
    identity: Mapping[str, Any]
    point: OperatingPoint
    created: str
    evidence: Mapping[str, Any]


class OperatingPointStore:
    """The user's operating points, one JSON file each in a folder below `root`, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER

    def path(self, name: str) -> Path:
        """Return the file of the point of this name. Raises UsageError for a text that can not be a name."""
        if not NAME.fullmatch(name) or name in RESERVED:
            raise UsageError(f"{name[:40]!r} can not name an operating point", hint="use letters, digits, - _ . and @")
        return self._folder / f"{name}.json"

    def save(self, entry: UserOperatingPoint) -> Path:
        """Write a point, in place of one of the same name, and return its file.

        Raises UsageError for its name and OutputError where the file system refuses.
        """
        path, record = self.path(entry.name), {"schema": SCHEMA, **asdict(entry)}
        if entry.point.cohort is not None:
            record["point"]["cohort"].pop("path")  # the recognizer's: it lies elsewhere after the next installation
        write_bytes(path, (json.dumps(record, indent=2, allow_nan=False) + "\n").encode())
        return path

    def remove(self, name: str) -> None:
        """Delete the point of this name. Raises UsageError if there is none."""
        try:
            self.path(name).unlink()
        except FileNotFoundError:
            raise self._missing(name) from None

    def load(self, name: str) -> UserOperatingPoint:
        """Return the point of this name. Raises UsageError if there is none, ModelError if its file is damaged."""
        path = self.path(name)
        if not path.is_file():
            raise self._missing(name)
        return _read(path)

    def all(self) -> list[UserOperatingPoint]:
        """Return every point, the newest first. Raises ModelError if a file is damaged."""
        if not self._folder.is_dir():
            return []
        files = [path for path in sorted(self._folder.glob("*.json")) if NAME.fullmatch(path.stem)]
        return sorted(map(_read, files), key=lambda entry: entry.created, reverse=True)

    def matching(self, identity: Mapping[str, Any]) -> list[OperatingPoint]:
        """Return the points measured with exactly this recognizer and detector, the newest first."""
        return [entry.point for entry in self.all() if entry.identity == identity]

    def refuse_other_owner(self, name: str, identity: Mapping[str, Any]) -> None:
        """Raise UsageError if the name is in use for another recognizer, detector or parameters than `identity`."""
        for entry in self.all():
            if entry.name == name and entry.identity != identity:
                message = f"the operating point {name} is of another recognizer, detector or parameters"
                hint = f"choose another {{name}}, or facecli calibrate --remove {name}"
                raise UsageError(message, hint=hint, about="name")

    def _missing(self, name: str) -> UsageError:
        names = ", ".join(sorted(path.stem for path in self._folder.glob("*.json"))) or "none"
        return UsageError(f"there is no operating point {name!r}", hint=f"there are: {names}")


def _read(path: Path) -> UserOperatingPoint:
    try:
        return _parsed(json.loads(path.read_bytes().decode()), path.stem)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        message = f"the operating point {path} is damaged: {type(error).__name__}: {error}"
        raise ModelError(message, hint=f"delete {path} and calibrate again") from error


def _parsed(record: dict[str, Any], name: str) -> UserOperatingPoint:
    if record.pop("schema") != SCHEMA or record["name"] != name:
        raise ValueError("its schema or its name is another")
    fields = record.pop("point")
    by_fmr = tuple((_number(fmr), _threshold(threshold)) for fmr, threshold in fields.pop("by_fmr"))
    worst_by_fmr = tuple((_number(fmr), _number(worst)) for fmr, worst in fields.pop("worst_by_fmr", ()))
    equivalents = {str(metric): _threshold(value) for metric, value in fields.pop("equivalents").items()}
    if fields.get("fmr_worst_group") is not None:
        _number(fields["fmr_worst_group"])
    cohort = _cohort(fields.pop("cohort", None))
    point = OperatingPoint(**fields, equivalents=equivalents, by_fmr=by_fmr, worst_by_fmr=worst_by_fmr, cohort=cohort)
    _threshold(point.threshold)
    if point.unknown_metrics or (point.metric == COHORT) != (cohort is not None):
        raise ValueError("its metric is unknown")
    if fault := point_fault(point, normalized=False):
        raise ValueError(fault)
    if not isinstance(point.source, str):
        raise TypeError("its source is no text")
    datetime.fromisoformat(record["created"])
    identity, note = record["identity"], record["evidence"]["note"]
    named = isinstance(identity["recognizer"], str) and isinstance(identity["parameters"], dict)
    if not (named and all(text is None or isinstance(text, str) for text in (identity["detector"], note))):
        raise ValueError("it does not say what it was measured with")
    return UserOperatingPoint(point=point, **record)


def _cohort(record: Any) -> Cohort | None:
    if record is None:
        return None
    if not (isinstance(record["sha256"], str) and type(record["top"]) is int):
        raise ValueError("its cohort makes no sense")
    return Cohort(record["sha256"], record["top"])


def _threshold(value: Any) -> float:
    if _number(value) <= 0:
        raise ValueError(f"a threshold of {value} recognises nobody")
    return float(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)
