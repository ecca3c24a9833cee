"""TODO: facecli.models.selftests.embedded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from facecli.errors import ModelError
from facecli.models.entries.shipped import EMBEDDED
from facecli.models.selftests.rule import Rule, distance, leading

if TYPE_CHECKING:
    from facecli.contract import Session


FILE = EMBEDDED / "golden.json"


def tested_files() -> list[str]:
    """The names of the model files that have a self-test."""
    return sorted(_golden())


def largest_difference(session: Session, file: str) -> float:
    """How far a session on an embedded file is from the recorded values; inf if an output is missing or not finite."""
    golden = _golden().get(file)
    if golden is None:
        raise ModelError(f"{file} has no self-test")
    rule = Rule(golden["input"], tuple(golden["shape"]), golden["mean"], golden["std"])
    return distance(leading(session, rule), golden["outputs"])


def _golden() -> dict[str, dict[str, Any]]:
    return dict(json.loads(FILE.read_text("utf-8")))
