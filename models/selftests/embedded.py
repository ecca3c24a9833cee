"""Self-tests of the model files in the wheel: recorded by `record_embedded` into a JSON file beside them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from facecli.errors import ModelError
from facecli.models.entries.shipped import EMBEDDED
from facecli.models.selftests.rule import TOLERANCE, Rule, distance, leading

if TYPE_CHECKING:
    from facecli.contract import Session


FILE = EMBEDDED / "selftests.json"


def tested_files() -> list[str]:
    """Return the names of the embedded model files that have a self-test, sorted."""
    return sorted(_selftests())


def largest_difference(session: Session, file: str) -> float:
    """Return the distance, as `rule.distance`, of a session's answer from the recorded one of an embedded file.

    Raises ModelError for a file without a self-test.
    """
    selftest = _selftests().get(file)
    if selftest is None:
        raise ModelError(f"{file} has no self-test")
    rule = Rule(selftest["input"], tuple(selftest["shape"]), selftest["mean"], selftest["std"])
    return distance(leading(session, rule), selftest["outputs"])


def tolerance(file: str) -> float:
    """Return the largest difference of an embedded file's answer that a processor may make."""
    return float(_selftests()[file].get("tolerance", TOLERANCE))


def _selftests() -> dict[str, dict[str, Any]]:
    return dict(json.loads(FILE.read_text("utf-8")))
