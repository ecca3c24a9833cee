"""Models in one file, for a machine without a network: a zip with a manifest and the model files by their sha256.

An import takes in exactly what the manifest lists, each file hashed, under names of the store's own: all or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

from facecli.contract import ModelSpec
from facecli.errors import ModelError
from facecli.models.arrival import archives, manifest
from facecli.models.arrival.manifest import BLOBS, BundledModel, Manifest
from facecli.models.disk import records
from facecli.models.disk.guards import records_locked, require_room, writing
from facecli.models.disk.stamps import write_stamp
from facecli.models.disk.work import work_folder
from facecli.models.entries import own
from facecli.models.selftests import recorded
from facecli.models.store import ModelStore
from facecli.system.files import require_file, sha256_of, staged, write_bytes
from facecli.version import __version__


def export_bundle(store: ModelStore, specs: Iterable[ModelSpec], target: Path) -> tuple[BundledModel, ...]:
    """Write the files of installed models into one zip. Raises ModelError if one is damaged, OutputError."""
    models, paths = [], {}
    for spec in specs:
        files = []
        for stated in spec.files:
            path, file = store.path(spec, stated.name), store.file(spec, stated.name)
            assert file.sha256 is not None  # it is installed
            files.append({"name": file.name, "sha256": file.sha256, "size": path.stat().st_size})
            paths[file.sha256] = path
        registered = store.registration(spec.id).get("origin")
        description = _description(store.layout.description(spec.kind, spec.id))
        models.append(BundledModel(spec.id, spec.licence, spec.licence_url, tuple(files), registered, description))
    selftests = {sha256: recorded.read(store.layout.selftest(sha256)) for sha256 in paths}
    bundle = Manifest(tuple(models), {sha256: test for sha256, test in selftests.items() if test is not None})
    with staged(target, parents=False) as temporary, ZipFile(temporary, "w", ZIP_STORED) as archive:
        archive.writestr(manifest.NAME, json.dumps(bundle.document(), indent=2))
        for sha256, path in paths.items():
            archive.write(path, f"{BLOBS}{sha256}")
    return bundle.models


def import_bundle(
    store: ModelStore, path: Path, find: Callable[[str], ModelSpec], *, accept_exports: bool = False
) -> tuple[BundledModel, ...]:
    """Install the models of a bundle.

    find: model id -> the model of this machine; raises ModelError for an unknown id. accept_exports: also install files
    that somebody exported in place of published ones, which no hash of ours vouches for.

    Raises ModelError, with nothing installed, if the bundle is damaged, holds what it does not list, does not fit what
    is known of its models, or if a licence is not accepted.
    """
    require_file(path)
    try:
        with archives.opened(path, path.name) as archive:
            bundle = manifest.read(archive, path)
            for model in bundle.models:
                spec = find(model.id) if model.description is None else _own(store, model, find)
                _check_files(model, spec, accept_exports)
                store.licences.require(spec)
            with writing():
                _install(store, archive, bundle, path.name)
                _keep_selftests(store, bundle)
    except OSError as error:
        raise ModelError(f"can not read {path}: {error.strerror or error}", hint="check the name") from error
    return bundle.models


def _description(path: Path) -> dict[str, Any] | None:
    """Return the description in the user's folder, None if there is none. Raises ModelError if it is damaged."""
    try:
        return dict(json.loads(path.read_bytes())) if path.is_file() else None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        message = f"{path} is damaged: {type(error).__name__}: {error}"
        raise ModelError(message, hint="delete it, and `facecli models add` it again") from error


def _own(store: ModelStore, model: BundledModel, find: Callable[[str], ModelSpec]) -> ModelSpec:
    """Return a user's own model by its description in the bundle. Raises ModelError if damaged, or its name taken."""
    description = model.description or {}
    where = f"the bundle's description of {model.id}"
    spec = own.parse(json.dumps(description).encode(), model.id, str(description.get("kind")), where)
    present = _description(store.layout.description(spec.kind, spec.id))
    try:
        taken = present != description and bool(find(spec.id))
    except ModelError:
        taken = False
    if taken:
        raise ModelError(f"another model is called {spec.id} here", hint=f"if it is yours: facecli models rm {spec.id}")
    return spec


def _check_files(model: BundledModel, spec: ModelSpec, accept_exports: bool) -> None:
    """Raise ModelError for files that are not those of the model on this machine."""
    stated = {file.name: file for file in spec.files}
    exported = model.registered is not None and model.description is None  # in place of what is published
    for entry in model.files:
        file = stated.get(entry["name"])
        if file is None or file.path is not None:
            raise ModelError(f"model {spec.id} has no file {entry['name']} to be brought in")
        if file.sha256 not in (None, entry["sha256"]) and not (exported and accept_exports):
            hint = "{accept_exports}, if you trust who exported it" if exported else f"it should be {file.sha256}"
            message = f"the bundle's {entry['name']} is not the one of {spec.id}: sha256 {entry['sha256']}"
            raise ModelError(message, hint=hint, about="accept_exports")


def _install(store: ModelStore, archive: ZipFile, bundle: Manifest, name: str) -> None:
    """Unpack all files beside their places; move them there, with their records, once every one is right."""
    layout, contents = store.layout, bundle.contents
    require_room(layout.partial, sum(file["size"] for file in contents.values()), "the bundle")
    with work_folder(layout) as folder:
        for sha256, file in contents.items():
            path = folder / sha256
            archives.extract(archive, archive.getinfo(f"{BLOBS}{sha256}"), path, file["size"])
            if (actual := sha256_of(path)) != sha256:
                message = f"the bundle's {file['name']} is damaged: sha256 is {actual}, not {sha256}"
                raise ModelError(message, hint=archives.AGAIN)
        with records_locked(layout):
            for sha256, file in contents.items():
                blob = layout.blob(sha256, file["name"])
                blob.parent.mkdir(parents=True, exist_ok=True)
                (folder / sha256).replace(blob)
                write_stamp(blob)
            for model in bundle.models:
                _write_record(store, model, name)


def _write_record(store: ModelStore, model: BundledModel, bundle: str) -> None:
    """Record where a model's files are from. bundle: the zip's name."""
    if model.description is not None:
        path = store.layout.description(model.description["kind"], model.id)
        write_bytes(path, json.dumps(model.description, indent=2).encode())
    if model.registered is not None:
        records.write(store.layout.registered(model.id), model.id, model.files, model.registered)
        return
    sources = {file["name"]: bundle for file in model.files}
    origin = {"sources": sources, "licence": model.licence, "facecli": __version__}
    records.write(store.layout.fetched(model.id), model.id, model.files, origin)


def _keep_selftests(store: ModelStore, bundle: Manifest) -> None:
    for sha256 in bundle.contents.keys() & bundle.selftests.keys():
        if recorded.read(store.layout.selftest(sha256)) is None:  # an answer that was recorded here counts more
            recorded.keep(store.layout, sha256, bundle.selftests[sha256])
