"""Models in one file, for a machine without a network: a zip with a manifest and the files by their sha256.

What is taken in is what the manifest lists, each hashed, into files of the store's own naming: all of it or nothing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

from facecli.contract import ModelSpec
from facecli.errors import ModelError, OutputError
from facecli.models.arrival import archives
from facecli.models.arrival.intake import changing, stamp, writing
from facecli.models.disk import records
from facecli.models.disk.layout import PARTIAL_BUNDLE
from facecli.models.disk.locks import locked
from facecli.models.entries import own
from facecli.models.selftests import recorded
from facecli.models.store import ModelStore
from facecli.system import home
from facecli.system.files import sha256_of, staged, write_bytes
from facecli.version import __version__

SCHEMA = "facecli.bundle/1"
MANIFEST = "manifest.json"
LARGEST_MANIFEST = 2**24  # bytes
_FOLDER = "blobs/"


@dataclass(frozen=True, slots=True)
class Bundled:
    """A model in a bundle: its files with name, sha256 and size.

    registered: where they are from, if an export made them. description: that of a user's own model.
    """

    id: str
    licence: str
    files: tuple[records.Entry, ...]
    registered: dict[str, Any] | None = None
    description: dict[str, Any] | None = None


def export_bundle(store: ModelStore, specs: Iterable[ModelSpec], target: Path) -> list[Bundled]:
    """Write the files of installed models into one zip. Raises ModelError if one is damaged, OutputError."""
    models, contents = [], {}
    for spec in specs:
        files = []
        for stated in spec.files:
            path, file = store.path(spec, stated.name), store.file(spec, stated.name)
            assert file.sha256 is not None  # it is installed
            files.append({"name": file.name, "sha256": file.sha256, "size": path.stat().st_size})
            contents[file.sha256] = path
        entry = {"id": spec.id, "licence": spec.licence, "licence_url": spec.licence_url, "files": files}
        entry |= {"registered": store.registration(spec.id).get("origin")}
        models.append(entry | {"description": _description(home.description(store.root, spec.kind, spec.id))})
    known = {sha256: recorded.read(store.layout.golden(sha256)) for sha256 in contents}
    tests = {sha256: one.document() for sha256, one in known.items() if one is not None}
    manifest = {"schema": SCHEMA, "facecli": __version__, "models": models, "selftests": tests}
    with staged(target, parents=False) as temporary, ZipFile(temporary, "w", ZIP_STORED) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
        for sha256, path in contents.items():
            archive.write(path, f"{_FOLDER}{sha256}")
    return _read_manifest(manifest)


def import_bundle(
    store: ModelStore, path: Path, find: Callable[[str], ModelSpec], *, accept_exports: bool = False
) -> list[Bundled]:
    """Take the models of a bundle in. find: the model of an id, raising ModelError if nobody here knows it.

    accept_exports: also files that somebody exported in place of published ones, which no hash of ours vouches for.

    Raises ModelError, with nothing taken in, if the bundle is damaged, holds what it does not list, does not fit what
    is known of its models, or if a licence is not accepted.
    """
    try:
        with archives.opened(path, path.name) as archive:
            manifest = _open_manifest(archive, path)
            models, tests = _read_manifest(manifest), _read_tests(manifest)
            _check_members(archive, models, path)
            for model in models:
                spec = find(model.id) if model.description is None else _own(store, model, find)
                _check(store, model, spec, accept_exports)
            with writing():
                _take_in(store, archive, models, path.name)
                _keep_tests(store, models, tests)
    except OSError as error:
        raise ModelError(f"can not read {path}: {error.strerror or error}", hint="check the name") from error
    return models


def _open_manifest(archive: ZipFile, path: Path) -> dict[str, Any]:
    info = archives.find(archive, MANIFEST)
    try:
        manifest = dict(json.loads(archive.read(info))) if info.file_size <= LARGEST_MANIFEST else {}
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"{path} has a damaged {MANIFEST}: {error}", hint="export the bundle again") from error
    if manifest.get("schema") != SCHEMA:
        raise ModelError(f"{path} is no bundle that this facecli reads", hint=f"it needs a {MANIFEST} of {SCHEMA}")
    return manifest


def _read_manifest(manifest: dict[str, Any]) -> list[Bundled]:
    try:
        models = [_read_model(entry) for entry in manifest["models"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the bundle's {MANIFEST} is damaged: {error!r}", hint="export the bundle again") from error
    return models


def _read_tests(manifest: dict[str, Any]) -> dict[str, recorded.Golden]:
    """The files' self-tests by sha256: what they answered where the bundle was made."""
    try:
        return {sha256: recorded.parse(entry) for sha256, entry in manifest.get("selftests", {}).items()}
    except (ValueError, AttributeError) as error:
        raise ModelError(f"the bundle's {MANIFEST} is damaged: {error}", hint="export the bundle again") from error


def _keep_tests(store: ModelStore, models: list[Bundled], tests: dict[str, recorded.Golden]) -> None:
    for sha256 in {file["sha256"] for model in models for file in model.files} & tests.keys():
        if recorded.read(store.layout.golden(sha256)) is None:  # what it answered here counts more
            recorded.keep(store.layout, sha256, tests[sha256])


def _read_model(entry: dict[str, Any]) -> Bundled:
    files = tuple({key: file[key] for key in ("name", "sha256", "size")} for file in entry["files"])
    if not (isinstance(entry["id"], str) and all(map(records.is_entry, files))):
        raise TypeError("a model needs an id and files, each with a name, a sha256 and a size")
    further = (entry.get("registered"), entry.get("description"))
    if not all(one is None or isinstance(one, dict) for one in further):
        raise TypeError("what is registered and described are tables")
    return Bundled(entry["id"], str(entry["licence"]), files, *further)


def _description(path: Path) -> dict[str, Any] | None:
    return dict(json.loads(path.read_bytes())) if path.is_file() else None


def _own(store: ModelStore, model: Bundled, find: Callable[[str], ModelSpec]) -> ModelSpec:
    """A user's own model, by the description in the bundle. Raises ModelError if that is damaged, or its name taken."""
    known = model.description or {}
    where = f"the bundle's description of {model.id}"
    spec = own.parse(json.dumps(known).encode(), model.id, str(known.get("kind")), where)
    here = _description(home.description(store.root, spec.kind, spec.id))
    try:
        taken = here != known and bool(find(spec.id))
    except ModelError:
        taken = False
    if taken:
        raise ModelError(f"another model is called {spec.id} here", hint=f"if it is yours: facecli models rm {spec.id}")
    return spec


def _check_members(archive: ZipFile, models: list[Bundled], path: Path) -> None:
    """Refuse a bundle that does not hold exactly what it lists."""
    listed = sorted({f"{_FOLDER}{file['sha256']}" for model in models for file in model.files} | {MANIFEST})
    held = sorted(info.filename for info in archive.infolist())
    if held != listed:
        wrong = sorted(set(held) ^ set(listed)) or [name for name in held if held.count(name) > 1]
        raise ModelError(f"{path} does not hold what it lists: {wrong[0]}", hint="export the bundle again")


def _check(store: ModelStore, model: Bundled, spec: ModelSpec, accept_exports: bool) -> None:
    """Refuse files that are not those of the model, and a licence that is not accepted."""
    stated = {file.name: file for file in spec.files}
    for entry in model.files:
        file = stated.get(entry["name"])
        if file is None or file.path is not None:
            raise ModelError(f"model {spec.id} has no file {entry['name']} to be brought in")
        stands = model.registered is not None and model.description is None  # an export in place of what is published
        if file.sha256 not in (None, entry["sha256"]) and not (stands and accept_exports):
            hint = "--accept-exports, if you trust who exported it" if stands else f"it should be {file.sha256}"
            message = f"the bundle's {entry['name']} is not the one of {spec.id}: sha256 {entry['sha256']}"
            raise ModelError(message, hint=hint)
    store.licences.require(spec)


def _take_in(store: ModelStore, archive: ZipFile, models: list[Bundled], bundle: str) -> None:
    """Write all files beside their places, and move them there, with records, when every one of them is right."""
    contents = {file["sha256"]: file for model in models for file in model.files}
    _check_space(store, sum(file["size"] for file in contents.values()))
    folder = store.layout.partial / f"{PARTIAL_BUNDLE}{os.urandom(8).hex()}"
    with locked(store.layout.lock(folder.name)):
        folder.mkdir(parents=True)
        try:
            for sha256, file in contents.items():
                path = folder / sha256
                archives.extract(archive, archive.getinfo(f"{_FOLDER}{sha256}"), path, file["size"])
                if (actual := sha256_of(path)) != sha256:
                    raise ModelError(f"the bundle's {file['name']} is damaged: sha256 is {actual}, not {sha256}")
            with changing(store.layout):
                _move_in(store, folder, contents)
                for model in models:
                    _write_record(store, model, bundle)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _move_in(store: ModelStore, folder: Path, contents: dict[str, records.Entry]) -> None:
    for sha256, file in contents.items():
        blob = store.layout.blob(sha256, file["name"])
        blob.parent.mkdir(parents=True, exist_ok=True)
        (folder / sha256).replace(blob)
        stamp(blob)


def _check_space(store: ModelStore, needed: int) -> None:
    store.layout.partial.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(store.layout.partial).free
    if needed > free:
        raise OutputError(f"the bundle needs {needed} bytes, and {free} are free", hint="free some space")


def _write_record(store: ModelStore, model: Bundled, bundle: str) -> None:
    if model.description is not None:
        path = home.description(store.root, model.description["kind"], model.id)
        write_bytes(path, json.dumps(model.description, indent=2).encode())
    if model.registered is not None:
        records.write(store.layout.registered(model.id), model.id, model.files, model.registered)
        return
    sources = {file["name"]: bundle for file in model.files}
    origin = {"sources": sources, "licence": model.licence, "facecli": __version__}
    records.write(store.layout.fetched(model.id), model.id, model.files, origin)
