"""Self-tests of a store's files: recorded by a pull, an `add` or an export, asked again by `facecli models verify`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.errors import FacecliError
from facecli.system.files import sha256_of

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.models.store import ModelStore


@dataclass(frozen=True, slots=True)
class VerifiedFile:
    """A model's file after its hash and its self-test.

    model: the model's id. state: "ok", "absent", "damaged" (the hash is another) or "wrong answer". difference: the
    self-test's, as `rule.distance`; None if the file has no self-test or gave no finite answer.
    """

    model: str
    name: str
    state: str
    difference: float | None = None


def record_missing(store: ModelStore, spec: ModelSpec) -> None:
    """Record the self-tests of a model's files that have none yet. Raises ModelError for a file that does not run."""
    from facecli.models.selftests import recorded

    for name in (file.name for file in spec.files if recorded.applies(file)):
        sha256 = store.file(spec, name).sha256
        if sha256 is not None and recorded.read(store.layout.selftest(sha256)) is None:
            _record(store, spec, name, sha256)


def verify(store: ModelStore, spec: ModelSpec) -> Iterator[VerifiedFile]:
    """Hash each file of a model and of its cohort, and run its self-test if it has one; otherwise record one now.

    Each session is gone before the next is made, so that memory holds one model.
    """
    for name, state in store.verify(spec).items():
        measured = _measure(store, spec, name) if state == "ok" else None
        if measured is None:
            yield VerifiedFile(spec.id, name, state)
        else:
            difference, tolerance = measured
            answer = "ok" if difference <= tolerance else "wrong answer"
            yield VerifiedFile(spec.id, name, answer, difference if math.isfinite(difference) else None)
    cohort = None if spec.cohort_point is None else spec.cohort_point.cohort
    if cohort is not None and cohort.path is not None:
        yield VerifiedFile(spec.id, cohort.path.name, _state(cohort.path, cohort.sha256))


def _state(path: Path, sha256: str) -> str:
    try:
        return "ok" if sha256_of(path) == sha256 else "damaged"
    except FileNotFoundError:
        return "absent"
    except OSError:
        return "damaged"


def _measure(store: ModelStore, spec: ModelSpec, name: str) -> tuple[float, float] | None:
    """Return the difference of a file's self-test and its tolerance, None if it has no self-test."""
    from facecli.inference.session import open_session
    from facecli.models.selftests import embedded, recorded

    (file,) = (file for file in spec.files if file.name == name)
    if recorded.applies(file):
        return _measure_recorded(store, spec, name)
    if file.path is None or name not in embedded.tested_files():
        return None
    return embedded.largest_difference(open_session(store.path(spec, name)), name), embedded.tolerance(name)


def _measure_recorded(store: ModelStore, spec: ModelSpec, name: str) -> tuple[float, float] | None:
    from facecli.inference.session import open_session
    from facecli.models.selftests import recorded, rule

    sha256 = store.file(spec, name).sha256
    assert sha256 is not None  # it has just been hashed
    selftest = recorded.read(store.layout.selftest(sha256))
    try:
        if selftest is None:
            _record(store, spec, name, sha256)
            return None
        return selftest.difference(open_session(store.path(spec, name))), selftest.tolerance
    except FacecliError:  # it does not load or run
        return math.inf, rule.TOLERANCE


def _record(store: ModelStore, spec: ModelSpec, name: str, sha256: str) -> None:
    from facecli.inference.session import open_session
    from facecli.models.selftests import recorded

    selftest = recorded.record(open_session(store.path(spec, name), name=name), spec)
    if selftest is not None:
        recorded.keep(store.layout, sha256, selftest)
