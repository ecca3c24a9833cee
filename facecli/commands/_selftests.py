"""Self-tests of the files in the store: recorded when a file comes in, asked again by `facecli models verify`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from facecli.errors import FacecliError

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.models.store import ModelStore


def remember(store: ModelStore, spec: ModelSpec) -> None:
    """Record what a model's files answer, of those that have no self-test yet.

    A file that does not load is told by who uses it.
    """
    from facecli.models import golden

    for name in (file.name for file in spec.files if golden.applies(file)):
        sha256 = store.file(spec, name).sha256
        if sha256 is not None and golden.read(store.layout.golden(sha256)) is None:
            _record(store, spec, name, sha256)


def difference(store: ModelStore, spec: ModelSpec, name: str) -> tuple[float, float] | None:
    """How far a file's answer is from the recorded one, and how far it may be; None if there was no record.

    Then one is made now. Each session is gone when the next is made: memory holds one model.
    """
    from facecli.models import golden
    from facecli.runtime import open_session

    sha256 = store.file(spec, name).sha256
    assert sha256 is not None  # it has just been hashed
    known = golden.read(store.layout.golden(sha256))
    if known is None:
        _record(store, spec, name, sha256)
        return None
    try:
        return known.difference(open_session(store.path(spec, name))), known.tolerance
    except FacecliError:  # it was loaded when the record was made
        return float("inf"), known.tolerance


def _record(store: ModelStore, spec: ModelSpec, name: str, sha256: str) -> None:
    from facecli.models import golden
    from facecli.runtime import open_session

    with suppress(FacecliError):
        found = golden.record(open_session(store.path(spec, name)), spec)
        if found is not None:
            golden.keep(store.layout, sha256, found)
