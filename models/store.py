"""The store of model files: the ones that a package carries, and those in the user's folder, named by their sha256.

A file is hashed in full when it comes in, a package's before its first run, and both by `verify`. A load compares only
size and modification time with the stamp of then, because a cold start can not afford to hash every model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from facecli.contract import ModelFile, ModelSpec
from facecli.errors import AbsentModelError, ModelError, OutputError
from facecli.models.arrival.request import InstalledFile, Request
from facecli.models.disk.guards import reading
from facecli.models.disk.layout import Layout
from facecli.models.disk.stamps import has_stamp, write_stamp
from facecli.system import environment, home
from facecli.system.files import sha256_of

if TYPE_CHECKING:
    from facecli.models.arrival.intake import Intake
    from facecli.models.arrival.transfer import Progress
    from facecli.models.disk.licences import Licences

State = Literal["installed", "absent", "damaged"]


class ModelStore:
    """Finds, fetches and registers model files.

    home: the folder; default: FACECLI_HOME or the user's data folder. mirror: a URL or a folder that is asked first, by
    file name. offline: never use the network. accept_licence: accept licences that do not allow commercial use. The
    last three default to their environment variables. progress: called with every chunk that is fetched.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        mirror: str | None = None,
        offline: bool | None = None,
        accept_licence: bool | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._home = home
        self.mirror = mirror or environment.place("FACECLI_MODELS_MIRROR")
        self.offline = environment.flag("FACECLI_OFFLINE") if offline is None else offline
        self._accept = environment.flag("FACECLI_ACCEPT_LICENSE") if accept_licence is None else accept_licence
        self._progress = progress

    @cached_property
    def layout(self) -> Layout:
        """The map of the folder, which is looked for only when a model is not embedded."""
        return Layout(self._home or home.folder())

    @property
    def root(self) -> Path:
        """The folder of fetched and exported files."""
        return self.layout.root

    @cached_property
    def licences(self) -> Licences:
        """The licences that were accepted."""
        from facecli.models.disk.licences import Licences

        return Licences(self.layout.licences, accept=self._accept)

    @cached_property
    def intake(self) -> Intake:
        """The way in for files that are fetched."""
        # Imported here: zipfile and urllib cost every command that has its models already.
        from facecli.models.arrival.fetch import Fetcher
        from facecli.models.arrival.intake import Intake
        from facecli.models.entries import shipped

        fetcher = Fetcher(self.mirror or None, self.offline, self._progress)
        return Intake(self.layout, self.licences, fetcher, shipped.packed_in)

    def path(self, spec: ModelSpec, file: str | None = None) -> Path:
        """Return the local path of a model's file, fetched first if need be. Raises ModelError if that fails.

        file: its name; None for a model with one file. A file without a stated sha256 is fetched by `pull` alone.
        """
        entry = self.file(spec, file)
        installed = self._installed(spec, entry)
        if installed is not None:
            return installed.path
        if entry.sha256 is None or entry not in spec.files:  # the second: an export's file that is gone
            raise _absent(spec)
        brought = self.intake.bring(Request(spec, entry, lambda: self._installed(spec, entry)))
        return self.intake.mended(spec, brought).path

    def pull(self, spec: ModelSpec) -> list[InstalledFile]:
        """Fetch a model's files that are missing or damaged; return all of them. Raises ModelError if one fails."""
        return [self._pull(spec, stated) for stated in spec.files]

    def _pull(self, spec: ModelSpec, stated: ModelFile) -> InstalledFile:
        def installed() -> InstalledFile | None:
            with suppress(ModelError):  # damaged files are fetched again
                return self._installed(spec, self.file(spec, stated.name))
            return None

        if present := installed():
            return present
        if not (stated.urls or stated.packed or (stated.sha256 and self.mirror)):
            raise _absent(spec)
        self.intake.forget_export(spec)  # its files are gone or damaged
        return self.intake.mended(spec, self.intake.bring(Request(spec, stated, installed)))

    def file(self, spec: ModelSpec, name: str | None = None) -> ModelFile:
        """Return the entry of a model's file; an exported file stands in for the published one of that name.

        name: None for a model with one file. Raises ModelError for a name that the model lacks, and if its record is
        damaged.
        """
        files = {f.name: f for f in spec.files}
        if name is None and len(files) != 1:
            raise ModelError(f"model {spec.id} has several files", hint=f"name one of {', '.join(files)}")
        stated = spec.files[0] if name is None else files.get(name)
        if stated is None:
            raise ModelError(f"model {spec.id} has no file {name!r}", hint=f"it has {', '.join(files)}")
        if stated.path is not None:
            return stated
        entries = [*self.registration(spec.id).get("files", ())]
        if stated.sha256 is None:
            entries += self.provenance(spec.id).get("files", ())
        entry = next((entry for entry in entries if entry["name"] == stated.name), None)
        return stated if entry is None else replace(stated, sha256=entry["sha256"], size=entry["size"])

    def _installed(self, spec: ModelSpec, file: ModelFile) -> InstalledFile | None:
        """Return a file that looks as it did when it was hashed, None if it is absent. Raises ModelError if damaged."""
        path = self.place(file)
        with reading(path):
            if path is None or not path.is_file():
                if file.path is not None:
                    raise ModelError(f"{file.name} is missing from its package", hint="reinstall the package")
                return None
            status = path.stat()
            stamp = self.layout.carried(str(file.sha256)) if file.path else None
            known = file.size in (None, status.st_size) and has_stamp(path, status, stamp)
            if not known and (actual := sha256_of(path)) != file.sha256:
                raise self._damaged(spec, file, path, actual)
        if not known:
            with suppress(OutputError):  # a store that can only be read works too: each load hashes the file then
                write_stamp(path, status, stamp)
        return InstalledFile(file.name, path, str(file.sha256))

    def _damaged(self, spec: ModelSpec, file: ModelFile, path: Path, actual: str) -> ModelError:
        """Return the error for a file whose sha256, `actual`, is not the one that is stated."""
        if file.path is None:
            message = f"{file.name} is damaged: {path} is not the file that was installed"
            return ModelError(message, hint=self._cure(spec, file, path))
        stated = f"its package states {file.sha256}" if file.sha256 else "its package states none"
        hint = "reinstall the package, or report it to its authors"
        return ModelError(f"{file.name} of model {spec.id} has the sha256 {actual}, {stated}", hint=hint)

    def _cure(self, spec: ModelSpec, file: ModelFile, path: Path) -> str:
        """Return the hint for a damaged file of the store."""
        if file.urls or file.packed or self.mirror:
            return f"facecli models pull {spec.id}"
        return f"delete {path} and export it again"

    def has(self, spec: ModelSpec) -> bool:
        """Return True if every file of a model looks as it did when it was hashed. Raises ModelError if one does not.

        False: a file is absent.
        """
        return all(self._installed(spec, self.file(spec, file.name)) is not None for file in spec.files)

    def state(self, spec: ModelSpec) -> State:
        """Return "installed", "absent", or "damaged" where `has` raises ModelError."""
        try:
            return "installed" if self.has(spec) else "absent"
        except ModelError:
            return "damaged"

    def verify(self, spec: ModelSpec) -> dict[str, str]:
        """Hash every file of a model in full. Returns file name -> "ok", "absent" or "damaged"."""
        return {file.name: self._verify(spec, file.name) for file in spec.files}

    def _verify(self, spec: ModelSpec, name: str) -> str:
        try:
            file = self.file(spec, name)
            path = self.place(file)
            with reading(path):
                if path is None or not path.is_file():
                    return "absent"
                return "ok" if sha256_of(path) == file.sha256 else "damaged"
        except ModelError:  # a damaged record, or a file that can not be read
            return "damaged"

    def register(self, model_id: str, files: Sequence[Path], origin: Mapping[str, Any]) -> None:
        """Copy files of the user's, such as exported ones, into the store as a model's. Raises ModelError.

        origin: where the files are from, as JSON can hold it.
        """
        from facecli.models.arrival.intake import register

        register(self.layout, model_id, files, origin)

    def registration(self, model_id: str) -> dict[str, Any]:
        """Return the record of a model's exported files, {} if there is none. Raises ModelError if it is damaged."""
        return _read_record(self.layout.registered(model_id), f"registered for {model_id}", "export the model again")

    def provenance(self, model_id: str) -> dict[str, Any]:
        """Return the record of a model's downloaded files, {} if there is none. Raises ModelError if it is damaged."""
        return _read_record(self.layout.fetched(model_id), f"fetched for {model_id}", f"facecli models pull {model_id}")

    def place(self, file: ModelFile) -> Path | None:
        """Return the path of a file, present or not; None if its sha256 is not known."""
        return file.path or (self.layout.blob(file.sha256, file.name) if file.sha256 else None)


def how_to_get(*specs: ModelSpec) -> str | None:
    """Return the command that gets missing models.

    One `models pull` for all of them, or the hint of the first that can not be pulled.
    """
    exported = [spec for spec in specs if not all(file.path or file.urls or file.packed for file in spec.files)]
    return exported[0].hint if exported else f"facecli models pull {' '.join(spec.id for spec in specs)}"


def _absent(spec: ModelSpec) -> AbsentModelError:
    """Return the error for a file that an export makes, or that only `models pull` fetches."""
    return AbsentModelError(f"model {spec.id} is not installed", hint=how_to_get(spec))


def _read_record(path: Path, what: str, cure: str) -> dict[str, Any]:
    """Return a record. what: continues "what was ...", for the message. cure: what to do once it is deleted."""
    from facecli.models.disk import records  # json costs a cold start that has no record to read

    with reading(path):
        try:
            return records.read(path)
        except (ValueError, RecursionError) as error:
            message = f"what was {what} is damaged: {path} ({error})"
            raise ModelError(message, hint=f"delete {path} and {cure}") from error
