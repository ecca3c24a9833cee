"""Removing files from the store: a model's own, and leftovers that no model needs."""

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
from facecli.models.disk import records
from facecli.models.disk.guards import records_locked, writing
from facecli.models.disk.layout import WORK, Layout
from facecli.models.disk.locks import attempted
from facecli.models.disk.stamps import is_needed, stamp_path
from facecli.models.entries import own
from facecli.models.store import ModelStore

FOLDERS = (WORK, "bundle-")  # prefixes of folders in `partial`; the second one was facecli 0.1's
STALE = 3600.0  # seconds after which no process can still be at work on a temporary file


@dataclass(frozen=True, slots=True)
class RemovedFile:
    """A file that was deleted, or kept for another model.

    size: bytes. what: the id of its model, or the kind of leftover. kept_for: the id of the model that still needs it;
    None: it was deleted.
    """

    path: Path
    size: int
    what: str
    kept_for: str | None = None


def remove(store: ModelStore, specs: Iterable[ModelSpec], others: Iterable[ModelSpec]) -> list[RemovedFile]:
    """Delete the files and records of models, but keep files that one of `others` has, too.

    Raises UsageError, before anything is deleted, for a model that came in a package.
    """
    leaving = {spec.id: spec for spec in specs}
    for spec in leaving.values():
        if any(file.path for file in spec.files):
            raise UsageError(f"model {spec.id} came with its package", hint="it goes when that is uninstalled")
    layout = store.layout
    with writing("changed"), records_locked(layout):
        owners = {place: spec.id for spec in others if spec.id not in leaving for place in _places(store, spec)}
        files = [removed for spec in leaving.values() for removed in _files(store, spec)]
        files = [replace(removed, kept_for=owners.get(removed.path)) for removed in files]
        for model_id in leaving:
            layout.registered(model_id).unlink(missing_ok=True)
            layout.fetched(model_id).unlink(missing_ok=True)
            own.forget(layout, model_id)
        for removed in files:
            if removed.kept_for is None:
                _delete(removed.path)
                layout.selftest(removed.path.stem).unlink(missing_ok=True)
    return files


def prune(store: ModelStore, specs: Iterable[ModelSpec]) -> list[RemovedFile]:
    """Delete leftovers: cut transfers, old temporary files, and files of no model.

    specs: all models of this machine. Models of plugins that are not installed here are kept by their records, and
    files that another process is at work on stay.
    """
    layout, models = store.layout, list(specs)
    if not layout.root.is_dir():
        return []
    with writing("changed"), records_locked(layout):
        needed = {place for spec in models for place in _places(store, spec)}
        needed |= _recorded(layout, {spec.id for spec in models})
        files = [*_temporary(layout), *_unneeded(layout, needed)]
        for removed in files:
            _delete(removed.path)
        files = [*_cut_transfers(layout), *files]
        _drop_locks(layout)
    return files


def _files(store: ModelStore, spec: ModelSpec) -> Iterator[RemovedFile]:
    for place in sorted(_places(store, spec)):
        if place.is_file():
            yield RemovedFile(place, place.stat().st_size, spec.id)


def _places(store: ModelStore, spec: ModelSpec) -> set[Path]:
    """Return the places of a model's files, present or not: of the published ones and of exported ones."""
    places = {store.place(file) for file in spec.files}
    for file in spec.files:
        try:
            places.add(store.place(store.file(spec, file.name)))
        except ModelError:  # a damaged record points nowhere
            continue
    return {place for place in places if place is not None}


def _recorded(layout: Layout, model_ids: set[str]) -> set[Path]:
    """Return the files that records list for models other than `model_ids`."""
    places = set()
    for folder in layout.records:
        for path in folder.rglob("*.json"):
            try:
                record = records.read(path)
            except (OSError, ValueError, RecursionError):
                continue
            if record.get("model") not in model_ids:
                places |= {layout.blob(entry["sha256"], entry["name"]) for entry in record.get("files", ())}
    return places


def _cut_transfers(layout: Layout) -> Iterator[RemovedFile]:
    """Delete files on their way in, each under the lock that the process which brings it would hold."""
    for path in sorted(layout.partial.glob("*")):
        is_folder = path.is_dir() and not path.is_symlink()
        if is_folder and not path.name.startswith(FOLDERS):
            continue  # not ours
        with attempted(layout.lock(path.stem)) as held, suppress(FileNotFoundError):  # it has arrived meanwhile
            if not held:
                continue
            files, what = [path], "of a transfer that was cut"
            if is_folder:
                files, what = list(path.rglob("*")), "of work that was not done to its end"
            removed = RemovedFile(path, sum(file.lstat().st_size for file in files), what)
            _delete(path)
            yield removed


def _drop_locks(layout: Layout) -> None:
    """Delete the lock files of processes that were killed."""
    for path in [*layout.locks.glob("*.lock"), *layout.root.glob("*.lock")]:
        if path.is_symlink():
            path.unlink(missing_ok=True)
            continue
        with attempted(path):  # deletes the file unless somebody holds it
            pass


def _temporary(layout: Layout) -> Iterator[RemovedFile]:
    """Yield the temporary files of facecli.system.files whose process has not touched them for STALE seconds."""
    for path in sorted(layout.root.rglob(".facecli-*")):
        with suppress(FileNotFoundError):
            status = path.lstat()
            if not stat.S_ISDIR(status.st_mode) and status.st_mtime < time.time() - STALE:
                yield RemovedFile(path, status.st_size, "temporary")


def _unneeded(layout: Layout, needed: set[Path]) -> Iterator[RemovedFile]:
    """Yield model files that are not needed, and stamps and self-tests without their file."""
    paths = [path for path in sorted(layout.blobs.glob("[!.]*")) if path.is_symlink() or not path.is_dir()]
    digests = {path.stem for path in paths if path.suffix != ".stamp"}
    for path in paths:
        if path.suffix == ".stamp" and path.stem not in digests:
            yield RemovedFile(path, path.lstat().st_size, "stamp of a file that is gone")
        elif path.suffix != ".stamp" and path not in needed:
            yield RemovedFile(path, path.lstat().st_size, "of no model that is known")
    for path in sorted(layout.carried("*").parent.glob("[!.]*")):
        if not is_needed(path):
            yield RemovedFile(path, path.lstat().st_size, "stamp of a file that is gone")
    staying = {path.stem for path in needed if path.suffix != ".stamp"} & digests
    for path in sorted(layout.selftests.glob("*.json")):
        if path.stem not in staying:
            yield RemovedFile(path, path.lstat().st_size, "self-test of a file that is gone")


def _delete(path: Path) -> None:
    """Delete a model file with its stamp, a link, or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    path.unlink(missing_ok=True)
    stamp_path(path).unlink(missing_ok=True)
