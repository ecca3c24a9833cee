"""Taking files out of the store: those of a model, and what nobody needs any more."""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from facecli.contract import ModelSpec
from facecli.errors import ModelError, UsageError
from facecli.models.arrival.intake import changing, writing
from facecli.models.disk import records
from facecli.models.disk.layout import PARTIAL_BUNDLE, Layout
from facecli.models.disk.locks import attempted
from facecli.models.entries import own
from facecli.models.store import ModelStore

STALE = 3600.0  # seconds after which a temporary file is nobody's work any more


@dataclass(frozen=True, slots=True)
class Removed:
    """A file that is gone, what it was, and the bytes that this freed; or one that was kept for another model."""

    path: Path
    size: int
    what: str
    kept_for: str | None = None


def remove(store: ModelStore, specs: Iterable[ModelSpec], others: Iterable[ModelSpec]) -> list[Removed]:
    """Delete the files and records of these models; a file that one of `others` has, too, is kept.

    Raises UsageError, before anything is deleted, for a model that came in a package.
    """
    leaving = {spec.id: spec for spec in specs}
    for spec in leaving.values():
        if any(file.path for file in spec.files):
            raise UsageError(f"model {spec.id} came with its package", hint="it goes when that is uninstalled")
    with writing("changed"), changing(store.layout):
        owners = {place: spec.id for spec in others if spec.id not in leaving for place in _places(store, spec)}
        found = [removed for spec in leaving.values() for removed in _files(store, spec)]
        found = [replace(removed, kept_for=owners.get(removed.path)) for removed in found]
        for model_id in leaving:
            store.layout.registered(model_id).unlink(missing_ok=True)
            store.layout.fetched(model_id).unlink(missing_ok=True)
            own.forget(store.root, model_id)
        for removed in found:
            if removed.kept_for is None:
                _delete(removed.path)
                store.layout.golden(removed.path.stem).unlink(missing_ok=True)
    return found


def prune(store: ModelStore, known: Iterable[ModelSpec]) -> list[Removed]:
    """Delete what was left behind: transfers that were cut, temporary files, files of no model that is known.

    What another process is at work on stays. Models of plugins that are not installed here count by their records.
    """
    layout, specs = store.layout, list(known)
    if not layout.root.is_dir():
        return []
    with writing("changed"), changing(layout):
        needed = {place for spec in specs for place in _places(store, spec)} | _recorded(layout, {s.id for s in specs})
        found = [*_temporary(layout), *_unneeded(layout, needed)]
        for removed in found:
            _delete(removed.path)
        found = [*_cut_transfers(layout), *found]
        _drop_locks(layout)
    return found


def _files(store: ModelStore, spec: ModelSpec) -> Iterator[Removed]:
    for place in sorted(_places(store, spec)):
        if place.is_file():
            yield Removed(place, place.stat().st_size, spec.id)


def _places(store: ModelStore, spec: ModelSpec) -> set[Path]:
    """Where the files of a model are or would be: that which is published, and that which an export made."""
    found = {store.place(file) for file in spec.files}
    for file in spec.files:
        try:
            found.add(store.place(store.file(spec, file.name)))
        except ModelError:  # a damaged record points nowhere
            continue
    return {place for place in found if place is not None}


def _recorded(layout: Layout, known: set[str]) -> set[Path]:
    """The files of models that nobody here knows, by what was written down of them."""
    found = set()
    for folder in (layout.root / "registered", layout.root / "fetched"):
        for path in folder.rglob("*.json"):
            try:
                record = records.read(path)
            except (OSError, ValueError, RecursionError):
                continue
            if record.get("model") not in known:
                found |= {layout.blob(entry["sha256"], entry["name"]) for entry in record["files"]}
    return found


def _cut_transfers(layout: Layout) -> Iterator[Removed]:
    """Delete what nobody is bringing in, each under the lock of who would."""
    for path in sorted(layout.partial.glob("*")):
        folder = path.is_dir() and not path.is_symlink()
        if folder and not path.name.startswith(PARTIAL_BUNDLE):
            continue  # not ours
        with attempted(layout.lock(path.stem)) as mine, suppress(FileNotFoundError):  # it has arrived meanwhile
            if not mine:
                continue
            files, what = [path], "of a transfer that was cut"
            if folder:
                files, what = list(path.iterdir()), "of a bundle that was not taken in to its end"
            removed = Removed(path, sum(file.lstat().st_size for file in files), what)
            _delete(path)
            yield removed


def _drop_locks(layout: Layout) -> None:
    """Delete the files of locks whose holders were killed."""
    for path in [*(layout.root / "locks").glob("*.lock"), *layout.root.glob("*.lock")]:
        if path.is_symlink():
            path.unlink(missing_ok=True)
            continue
        with attempted(path):  # deletes the file if nobody holds it
            pass


def _temporary(layout: Layout) -> Iterator[Removed]:
    for path in sorted(layout.root.rglob(".facecli-*")):
        with suppress(FileNotFoundError):
            status = path.lstat()
            if not stat.S_ISDIR(status.st_mode) and status.st_mtime < time.time() - STALE:
                yield Removed(path, status.st_size, "temporary")


def _unneeded(layout: Layout, needed: set[Path]) -> Iterator[Removed]:
    paths = [path for path in sorted(layout.blobs.glob("[!.]*")) if path.is_symlink() or not path.is_dir()]
    contents = {path.stem for path in paths if path.suffix != ".stamp"}
    for path in paths:
        if path.suffix == ".stamp" and path.stem not in contents:
            yield Removed(path, path.lstat().st_size, "stamp of a file that is gone")
        elif path.suffix != ".stamp" and path not in needed:
            yield Removed(path, path.lstat().st_size, "of no model that is known")
    staying = {path.stem for path in needed if path.suffix != ".stamp"} & contents
    for path in sorted(layout.golden("x").parent.glob("*.json")):
        if path.stem not in staying:
            yield Removed(path, path.lstat().st_size, "self-test of a file that is gone")


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    path.unlink(missing_ok=True)
    path.with_suffix(".stamp").unlink(missing_ok=True)
