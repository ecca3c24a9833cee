"""Self-tests of the files in the store: recorded when a file comes in, asked again by `facecli models verify`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from facecli.errors import FacecliError

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.models.store import ModelStore


def remember(store: ModelStore, spec: ModelSpec) -> None:
    """Record what a model's files answer, of those that have no self-test yet.

    A file that does not load is told by who uses it.
    """
    from facecli.models.selftests import recorded

    for name in (file.name for file in spec.files if recorded.applies(file)):
        sha256 = store.file(spec, name).sha256
        if sha256 is not None and recorded.read(store.layout.golden(sha256)) is None:
            _record(store, spec, name, sha256)


def difference(store: ModelStore, spec: ModelSpec, name: str) -> tuple[float, float] | None:
    """How far a file's answer is from the recorded one, and how far it may be; None if there was no record.

    Then one is made now. Each session is gone when the next is made: memory holds one model.
    """
    from facecli.inference.session import open_session
    from facecli.models.selftests import recorded

    sha256 = store.file(spec, name).sha256
    assert sha256 is not None  # it has just been hashed
    known = recorded.read(store.layout.golden(sha256))
    if known is None:
        _record(store, spec, name, sha256)
        return None
    try:
        return known.difference(open_session(store.path(spec, name))), known.tolerance
    except FacecliError:  # it was loaded when the record was made
        return float("inf"), known.tolerance


def _record(store: ModelStore, spec: ModelSpec, name: str, sha256: str) -> None:
    from facecli.inference.session import open_session
    from facecli.models.selftests import recorded

    with suppress(FacecliError):
        found = recorded.record(open_session(store.path(spec, name)), spec)
        if found is not None:
            recorded.keep(store.layout, sha256, found)


def verified(spec: ModelSpec, store: ModelStore) -> Iterable[dict[str, Any]]:
    """The state of each file of a model: its hash, and the self-test where one is known."""
    for name, state in store.verify(spec).items():
        row: dict[str, Any] = {"model": spec.id, "file": name, "state": state, "selftest_difference": None}
        found = _tested(spec, store, name) if state == "ok" else None
        if found is not None:
            difference, tolerance = found
            row["selftest_difference"] = difference if math.isfinite(difference) else None
            row["state"] = "ok" if difference <= tolerance else "wrong answer"
        yield row


def _tested(spec: ModelSpec, store: ModelStore, name: str) -> tuple[float, float] | None:
    """How far a file is from its self-test, and how far it may be; None if it has none."""
    from facecli.models.selftests import asking, embedded, recorded, rule

    (file,) = (file for file in spec.files if file.name == name)
    if recorded.applies(file):
        return asking.difference(store, spec, name)
    if file.path is None or name not in embedded.tested_files():
        return None
    from facecli.inference.session import open_session

    return embedded.largest_difference(open_session(store.path(spec, name)), name), rule.TOLERANCE
