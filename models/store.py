"""The store of model files: embedded in a package, or under the user's data folder by sha256.

A file is hashed in full when it enters the store and by `verify`; at each load its size and modification stamp are
compared with what they were then, because a cold start can not afford a hash of every model.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from facecli.contract import ModelFile, ModelSpec
from facecli.errors import ModelError, OutputError
from facecli.models.disk.layout import Layout, default_root, has_stamp, stamp_of
from facecli.system import environment
from facecli.system.files import sha256_of, write_bytes

if TYPE_CHECKING:
    from facecli.models.arrival.intake import Intake
    from facecli.models.arrival.transfer import Progress
    from facecli.models.disk.licences import Licences

State = Literal["installed", "absent", "damaged"]


@dataclass(frozen=True, slots=True)
class Pulled:
    """A file that was asked for; source: where it was fetched from, None if it was there."""

    name: str
    path: Path
    sha256: str
    source: str | None


class ModelStore:
    """Finds, fetches and registers model files.

    mirror: a URL or a folder that is asked first, by file name. offline: never ask the network. accept_licence: accept
    licences that do not allow commercial use. progress: told what is fetched while it is.
    """

    def __init__(
        self,
        root: Path | None = None,
        *,
        mirror: str | None = None,
        offline: bool | None = None,
        accept_licence: bool | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._root = root
        self.mirror = mirror or os.environ.get("FACECLI_MODELS_MIRROR")
        self.offline = environment.flag("FACECLI_OFFLINE") if offline is None else offline
        self._accept = environment.flag("FACECLI_ACCEPT_LICENSE") if accept_licence is None else accept_licence
        self._progress = progress

    @cached_property
    def layout(self) -> Layout:
        """Where things lie; looked for only when a model is not embedded."""
        return Layout(self._root or default_root())

    @property
    def root(self) -> Path:
        """The folder of what was fetched and exported."""
        return self.layout.root

    @cached_property
    def licences(self) -> Licences:
        """What licences were accepted."""
        from facecli.models.disk.licences import Licences

        return Licences(self.layout.licences, accept=self._accept)

    @cached_property
    def intake(self) -> Intake:
        """The way in for files that are fetched."""
        from facecli.models.arrival.fetch import Fetcher
        from facecli.models.arrival.intake import Intake
        from facecli.models.entries import shipped

        fetcher = Fetcher(self.mirror or None, self.offline, self._progress)
        return Intake(self.layout, self.licences, fetcher, shipped.packed_in)

    def path(self, spec: ModelSpec, file: str | None = None) -> Path:
        """The local path of a model's file, fetched first if need be. Raises ModelError if it can not be had."""
        wanted = self.file(spec, file)
        found = self._installed(spec, wanted)
        if found is not None:
            return found
        if wanted.sha256 is None or wanted not in spec.files:  # neither stated nor where an export put it
            raise _absent(spec)
        return self.intake.bring(spec, wanted, lambda: self._installed(spec, wanted))[0]

    def pull(self, spec: ModelSpec) -> list[Pulled]:
        """Fetch what is missing or damaged of a model. Raises ModelError if something can not be had."""
        return [self._pull(spec, file.name) for file in spec.files]

    def _pull(self, spec: ModelSpec, name: str) -> Pulled:
        def present() -> Path | None:
            with suppress(ModelError):  # what is damaged is fetched again
                return self._installed(spec, self.file(spec, name))
            return None

        found, source = present(), None
        if found is None:
            stated = next(file for file in spec.files if file.name == name)
            if not (stated.urls or stated.packed or (stated.sha256 and self.mirror)):
                raise _absent(spec)
            self.intake.forget_export(spec)  # whose files are gone or damaged
            found, source = self.intake.bring(spec, stated, present)
        sha256 = self.file(spec, name).sha256
        assert sha256 is not None  # it is installed
        return Pulled(name, found, sha256, source)

    def file(self, spec: ModelSpec, name: str | None = None) -> ModelFile:
        """The entry of a model's file; one that an export registered stands for that which is published."""
        files = {f.name: f for f in spec.files}
        if name is None and len(files) != 1:
            raise ModelError(f"model {spec.id} has several files", hint=f"name one of {', '.join(files)}")
        wanted = spec.files[0] if name is None else files.get(name)
        if wanted is None:
            raise ModelError(f"model {spec.id} has no file {name!r}", hint=f"it has {', '.join(files)}")
        if wanted.path is not None:
            return wanted
        known = [*self.registration(spec.id).get("files", ())]
        if wanted.sha256 is None:
            known += self.provenance(spec.id).get("files", ())
        entry = next((entry for entry in known if entry["name"] == wanted.name), None)
        return wanted if entry is None else replace(wanted, sha256=entry["sha256"], size=entry["size"])

    def _installed(self, spec: ModelSpec, file: ModelFile) -> Path | None:
        """Where a file lies if it is there and looks as it did when it was hashed."""
        path = self.place(file)
        with _reading(path):
            if path is None or not path.is_file():
                if file.path is not None:
                    raise ModelError(f"{file.name} is missing from its package", hint="reinstall the package")
                return None
            status = path.stat()
            changed = file.size is not None and status.st_size != file.size
            # A package's files carry no stamp: their size is all that a load compares, `verify` hashes them.
            if not changed and file.path is None:
                changed = not has_stamp(path, status)
            if changed and (file.sha256 is None or sha256_of(path) != file.sha256):
                message = f"{file.name} is damaged: {path} is not the file that was installed"
                raise ModelError(message, hint="reinstall the package" if file.path else self._mend(spec, file, path))
        if changed:
            with suppress(OutputError):  # a store that can only be read works too: each load hashes the file then
                write_bytes(path.with_suffix(".stamp"), stamp_of(status))
        return path

    def _mend(self, spec: ModelSpec, file: ModelFile, path: Path) -> str:
        if file.urls or file.packed or self.mirror:
            return f"facecli models pull {spec.id}"
        return f"delete {path} and export it again"

    def has(self, spec: ModelSpec) -> bool:
        """Whether every file of a model is there and looks as it did when it was hashed."""
        return all(self._installed(spec, self.file(spec, file.name)) is not None for file in spec.files)

    def state(self, spec: ModelSpec) -> State:
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
            path = self.place(file)
            with _reading(path):
                if path is None or not path.is_file():
                    return "absent"
                return "ok" if sha256_of(path) == file.sha256 else "damaged"
        except ModelError:  # a damaged registration, or a file that can not be read
            return "damaged"

    def register(self, model_id: str, files: Sequence[Path], origin: Mapping[str, Any]) -> None:
        """Take files that the user made (by an export) in as those of a model, with a note of where they are from."""
        from facecli.models.arrival.intake import register

        register(self.layout, model_id, files, origin)

    def registration(self, model_id: str) -> dict[str, Any]:
        """What was registered for a model; empty if nothing was. Raises ModelError if the record is damaged."""
        return _read_record(self.layout.registered(model_id), model_id, "registered")

    def provenance(self, model_id: str) -> dict[str, Any]:
        """What was fetched for a model, and from where; empty if nothing was. Raises ModelError as registration."""
        return _read_record(self.layout.fetched(model_id), model_id, "fetched")

    def place(self, file: ModelFile) -> Path | None:
        """Where a file lies if it is there; None for one whose sha256 is not known."""
        return file.path or (self.layout.blob(file.sha256, file.name) if file.sha256 else None)


def how_to_get(*specs: ModelSpec) -> str | None:
    """What to type for models that are not installed: one line where all can be fetched, else that of the first."""
    made = [spec for spec in specs if not all(file.path or file.urls or file.packed for file in spec.files)]
    return made[0].hint if made else f"facecli models pull {' '.join(spec.id for spec in specs)}"


def _absent(spec: ModelSpec) -> ModelError:
    """The error for a file that is only fetched when it is asked for by name, or made by an export."""
    return ModelError(f"model {spec.id} is not installed", hint=how_to_get(spec))


def _read_record(path: Path, model_id: str, what: str) -> dict[str, Any]:
    from facecli.models.disk import records

    with _reading(path):
        try:
            return records.read(path)
        except (ValueError, RecursionError) as error:
            again = "export the model again" if what == "registered" else f"facecli models pull {model_id}"
            message = f"what was {what} for {model_id} is damaged: {path} ({error})"
            raise ModelError(message, hint=f"delete {path} and {again}") from error


@contextmanager
def _reading(path: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{path} can not be read: {error.strerror}"
        raise ModelError(message, hint="mend it, or name another folder in FACECLI_HOME") from error
