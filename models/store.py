"""The store of model files: embedded in a package, or under the user's data folder by sha256.

A file is hashed in full when it enters the store and by `verify`; at each load its size and modification stamp are
compared with what they were then, because a cold start can not afford a hash of every model.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from facecli import environment
from facecli.contract import ModelFile, ModelSpec
from facecli.errors import ModelError, OutputError
from facecli.files import staged, write_bytes

OTHER_HOME = "name another folder in FACECLI_HOME"


class ModelStore:
    """Finds, fetches and registers model files.

    mirror: a URL or a folder that is asked first, by file name. offline: never ask the network.
    """

    def __init__(self, root: Path | None = None, *, mirror: str | None = None, offline: bool | None = None) -> None:
        self._root = root
        self.mirror = mirror or os.environ.get("FACECLI_MODELS_MIRROR")
        self.offline = environment.flag("FACECLI_OFFLINE") if offline is None else offline

    @cached_property
    def root(self) -> Path:
        """The folder of what was fetched and exported; looked for only when a model is not embedded."""
        return self._root or _default_root()

    def path(self, spec: ModelSpec, file: str | None = None) -> Path:
        """The local path of a model's file, fetched first if need be. Raises ModelError if it can not be had."""
        wanted = self.file(spec, file)
        found = self.installed(wanted)
        if found is not None:
            return found
        if wanted.sha256 is None:
            raise ModelError(f"model {spec.id} is not installed", hint=spec.hint)
        return self._fetch(spec, wanted)

    def file(self, spec: ModelSpec, name: str | None = None) -> ModelFile:
        """The entry of a model's file, completed with what was registered for it."""
        files = {f.name: f for f in spec.files}
        if name is None and len(files) != 1:
            raise ModelError(f"model {spec.id} has several files", hint=f"name one of {', '.join(files)}")
        wanted = spec.files[0] if name is None else files.get(name)
        if wanted is None:
            raise ModelError(f"model {spec.id} has no file {name!r}", hint=f"it has {', '.join(files)}")
        if wanted.path is None:  # what the user made himself goes before what could be fetched
            for entry in self.registration(spec.id).get("files", ()):
                if entry["name"] == wanted.name:
                    return ModelFile(wanted.name, entry["sha256"], entry["size"], wanted.urls)
        return wanted

    def installed(self, file: ModelFile) -> Path | None:
        """Where a file lies if it is there and looks as it did when it was hashed."""
        path = self._place(file)
        with _reading(path):
            if path is None or not path.is_file():
                if file.path is not None:
                    raise ModelError(f"{file.name} is missing from its package", hint="reinstall the package")
                return None
            status = path.stat()
            changed = file.size is not None and status.st_size != file.size
            # A package's files carry no stamp: their size is all that a load compares, `verify` hashes them.
            if not changed and file.path is None:
                changed = not _has_stamp(path, status)
            if changed and (file.sha256 is None or _sha256(path) != file.sha256):
                again = "run it again" if file.urls or self.mirror else "export it again"
                hint = "reinstall the package" if file.path else f"delete {path} and {again}"
                raise ModelError(f"{file.name} is damaged: {path} is not the file that was installed", hint=hint)
        if changed:
            with suppress(OutputError):  # a store that can only be read works too: each load hashes the file then
                write_bytes(path.with_suffix(".stamp"), _stamp(status))
        return path

    def has(self, spec: ModelSpec) -> bool:
        """Whether every file of a model is there and looks as it did when it was hashed."""
        return all(self.installed(self.file(spec, file.name)) is not None for file in spec.files)

    def state(self, spec: ModelSpec) -> Literal["installed", "absent", "damaged"]:
        """What `has` says, with "damaged" where it raises ModelError: for lists, which go on."""
        try:
            return "installed" if self.has(spec) else "absent"
        except ModelError:
            return "damaged"

    def verify(self, spec: ModelSpec) -> dict[str, str]:
        """Hash every file of a model in full: name -> "ok", "absent" or "damaged"."""
        return {file.name: self._verify(spec, file.name) for file in spec.files}

    def _verify(self, spec: ModelSpec, name: str) -> str:
        try:
            file = self.file(spec, name)
            path = self._place(file)
            with _reading(path):
                if path is None or not path.is_file():
                    return "absent"
                return "ok" if _sha256(path) == file.sha256 else "damaged"
        except ModelError:  # a damaged registration, or a file that can not be read
            return "damaged"

    def register(self, model_id: str, files: Sequence[Path], origin: Mapping[str, Any]) -> None:
        """Take files that the user made (by an export) in as those of a model, with a note of where they are from."""
        entries = [self._take(path) | {"name": path.name} for path in files]
        record = json.dumps({"model": model_id, "files": entries, "origin": dict(origin)}, indent=2)
        with _writing():
            write_bytes(self._record(model_id), record.encode())

    def registration(self, model_id: str) -> dict[str, Any]:
        """What was registered for a model; empty if nothing was. Raises ModelError if the record is damaged."""
        record = self._record(model_id)
        with _reading(record):
            if not record.is_file():
                return {}
            content = record.read_bytes()
        try:
            return _parse_registration(content)
        except (ValueError, RecursionError) as error:
            message = f"what was registered for {model_id} is damaged: {record} ({error})"
            raise ModelError(message, hint=f"delete {record} and export the model again") from error

    def _take(self, path: Path) -> dict[str, Any]:
        import shutil

        sha256 = _sha256(path)
        blob = self._blob(sha256)
        with _writing():
            with staged(blob) as temporary:
                shutil.copyfile(path, temporary)
            write_bytes(blob.with_suffix(".stamp"), _stamp(blob.stat()))
        return {"sha256": sha256, "size": path.stat().st_size}

    def _fetch(self, spec: ModelSpec, file: ModelFile) -> Path:
        from facecli.models.fetch import fetch

        assert file.sha256 is not None  # path() has refused the others
        blob = self._blob(file.sha256)
        with _writing():
            with staged(blob) as temporary:
                fetch(spec, file, temporary, mirror=self.mirror, offline=self.offline)
            write_bytes(blob.with_suffix(".stamp"), _stamp(blob.stat()))
        return blob

    def _place(self, file: ModelFile) -> Path | None:
        return file.path or (self._blob(file.sha256) if file.sha256 else None)

    def _blob(self, sha256: str) -> Path:
        return self.root / "blobs" / f"{sha256}.onnx"

    def _record(self, model_id: str) -> Path:
        return self.root / "registered" / f"{model_id}.json"


def _default_root() -> Path:
    chosen = os.environ.get("FACECLI_HOME")
    if chosen:
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("facecli", appauthor=False)


def _sha256(path: Path) -> str:
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stamp(status: os.stat_result) -> bytes:
    return f"{status.st_size} {status.st_mtime_ns}".encode()


def _has_stamp(path: Path, status: os.stat_result) -> bool:
    try:
        return path.with_suffix(".stamp").read_bytes() == _stamp(status)
    except OSError:
        return False


def _parse_registration(content: bytes) -> dict[str, Any]:
    """The record that `register` writes. Raises ValueError for anything else."""
    record = json.loads(content.decode())
    known = record if isinstance(record, dict) else {}
    files, origin = known.get("files"), known.get("origin")
    if not (isinstance(files, list) and all(map(_is_file_entry, files)) and isinstance(origin, dict)):
        raise ValueError("it needs an origin and files, each with a name, a sha256 of 64 hex digits, and a size")
    return known


def _is_file_entry(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    name, sha256, size = (entry.get(key) for key in ("name", "sha256", "size"))
    hexadecimal = isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256) is not None
    return isinstance(name, str) and hexadecimal and type(size) is int and size >= 0


@contextmanager
def _reading(path: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(f"{path} can not be read: {error.strerror}", hint=f"mend it, or {OTHER_HOME}") from error


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OutputError as error:
        raise ModelError(f"the model store can not be filled: {error.message}", hint=OTHER_HOME) from error
