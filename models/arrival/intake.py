"""Bringing model files into the store: fetched, unpacked, hashed, then moved into place, by one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from facecli.contract import ModelArchive, ModelFile, ModelSpec
from facecli.errors import ModelError, OutputError
from facecli.models.arrival import archives
from facecli.models.arrival.fetch import Fetched, Fetcher, NotFetchedError
from facecli.models.arrival.transfer import Partial
from facecli.models.disk import records
from facecli.models.disk.layout import Layout, stamp_of
from facecli.models.disk.licences import Licences
from facecli.models.disk.locks import locked
from facecli.system.files import sha256_of, staged, write_bytes
from facecli.version import __version__

OTHER_HOME = "name another folder in FACECLI_HOME"
RECORDS = "records"  # the lock's name

Present = Callable[[], Path | None]
# Archive -> the models and files of the catalogue that are packed in it.
Packed = Callable[[ModelArchive], Iterable[tuple[ModelSpec, ModelFile]]]


@dataclass(frozen=True, slots=True)
class Intake:
    """The way into a store."""

    layout: Layout
    licences: Licences
    fetcher: Fetcher
    packed: Packed

    def bring(self, spec: ModelSpec, file: ModelFile, present: Present) -> tuple[Path, str | None]:
        """Fetch a file into its place, and tell where it was fetched from; None if another process has just done it.

        present: where it lies by now, if it does. Raises ModelError if its licence is not accepted, or if it can not be
        had.
        """
        with writing():
            self.licences.require(spec)
            key = file.sha256 or f"unpinned-{file.name}"
            with locked(self.layout.lock(key)):
                found = present()
                return (found, None) if found else self._bring(spec, file, key, present)

    def forget_export(self, spec: ModelSpec) -> None:
        """Delete the record of what was exported in the place of what is published. Raises ModelError."""
        with writing():
            if (record := self.layout.registered(spec.id)).is_file():
                with changing(self.layout):
                    record.unlink(missing_ok=True)

    def _bring(self, spec: ModelSpec, file: ModelFile, key: str, present: Present) -> tuple[Path, str | None]:
        failures = []
        if file.urls or self.fetcher.mirror is not None or not file.packed:
            arriving = self.layout.arriving(key)
            try:
                fetched = self.fetcher.fetch(file, arriving)
            except NotFetchedError as error:
                failures.append(str(error))
            else:
                return self._enter(arriving, spec, file, fetched), fetched.source
        for archive, member in file.packed:
            try:
                return self._unpack(archive, member, spec, file, present)
            except (NotFetchedError, ModelError) as error:
                failures.append(str(error))
        message = f"model {spec.id} is not installed and could not be fetched ({'; '.join(failures)})"
        raise ModelError(message, hint=pull_hint(spec, file))

    def _unpack(
        self, archive: ModelArchive, member: str, spec: ModelSpec, file: ModelFile, present: Present
    ) -> tuple[Path, str | None]:
        """Fetch an archive and take out what this model and others want of it; the archive itself is not kept."""
        with locked(self.layout.lock(archive.sha256)):
            found = present()
            if found:  # unpacked by another process while we waited
                return found, None
            path = self.layout.arriving(archive.sha256)
            source = self.fetcher.fetch(archive, path).source
            try:
                with archives.opened(path, archive.name) as opened:
                    blob = self._take(opened, member, spec, file, source)
                    self._take_others(archive, opened, file, source)
            finally:
                Partial(path).discard()
            return blob, f"{source}/{member}"

    def _take_others(self, archive: ModelArchive, opened: ZipFile, but: ModelFile, source: str) -> None:
        """Spare other models a download of the archive; what is wrong with them is told when they are asked for."""
        for spec, file in self.packed(archive):
            if file.name != but.name and self.licences.accepted(spec):
                with suppress(ModelError, OutputError):
                    self._take(opened, dict(file.packed)[archive], spec, file, source)

    def _take(self, archive: ZipFile, member: str, spec: ModelSpec, file: ModelFile, source: str) -> Path:
        """Write a member of an archive into its place. Raises ModelError, with nothing kept, if it is not the file."""
        assert file.sha256 is not None  # a packed file's is stated
        blob = self.layout.blob(file.sha256, file.name)
        with ExitStack() as stack:
            temporary = stack.enter_context(staged(blob))
            archives.extract(archive, archives.find(archive, member), temporary, file.size)
            digest = sha256_of(temporary)
            if digest != file.sha256:
                raise ModelError(f"{source}: sha256 of {member} is {digest}, not {file.sha256}")
            with changing(self.layout):
                stack.close()  # moves it into place
                stamp(blob)
                self._note(spec, file, blob, Fetched(f"{source}/{member}", digest))
        return blob

    def _enter(self, path: Path, spec: ModelSpec, file: ModelFile, fetched: Fetched) -> Path:
        """Move what was fetched into its place, and write down where it is from."""
        blob = self.layout.blob(fetched.sha256, file.name)
        Partial(path).forget()
        blob.parent.mkdir(parents=True, exist_ok=True)
        with changing(self.layout):
            path.replace(blob)
            stamp(blob)
            self._note(spec, file, blob, fetched)
        return blob

    def _note(self, spec: ModelSpec, file: ModelFile, blob: Path, fetched: Fetched) -> None:
        record = self.layout.fetched(spec.id)
        try:
            known = records.read(record)
        except (ValueError, RecursionError):
            known = {}  # a damaged one is written anew
        entry = {"name": file.name, "sha256": fetched.sha256, "size": blob.stat().st_size}
        others = [old for old in known.get("files", ()) if old["name"] != file.name]
        sources = known.get("origin", {}).get("sources", {}) | {file.name: fetched.source}
        origin = {"sources": sources, "licence": spec.licence, "facecli": __version__}
        records.write(record, spec.id, [*others, entry], origin)


def register(layout: Layout, model_id: str, files: Sequence[Path], origin: Mapping[str, Any]) -> None:
    """Take files that the user made in as those of a model. Raises ModelError if the store can not be written."""
    with writing(), changing(layout):
        entries = [_copy_in(layout, path) for path in files]
        records.write(layout.registered(model_id), model_id, entries, origin)


def changing(layout: Layout) -> AbstractContextManager[None]:
    """Hold the lock under which files move into and out of their places, each together with its record.

    So `prune` never sees a file whose record is still to come. Raises OSError.
    """
    return locked(layout.lock(RECORDS))


def _copy_in(layout: Layout, path: Path) -> records.Entry:
    import shutil

    sha256 = sha256_of(path)
    blob = layout.blob(sha256, path.name)
    with staged(blob) as temporary:
        shutil.copyfile(path, temporary)
    stamp(blob)
    return {"name": path.name, "sha256": sha256, "size": blob.stat().st_size}


def stamp(blob: Path) -> None:
    """Write beside a file what it looks like now that it has been hashed. Raises OutputError."""
    write_bytes(blob.with_suffix(".stamp"), stamp_of(blob.stat()))


def pull_hint(spec: ModelSpec, file: ModelFile) -> str:
    """What to type when a file could not be fetched."""
    hint = f"try `facecli models pull {spec.id}` again, or name a folder that has {file.name} in FACECLI_MODELS_MIRROR"
    return f"{hint}, or {spec.hint}" if spec.hint else hint


@contextmanager
def writing(what: str = "filled") -> Iterator[None]:
    """ModelError for what the file system of the store refuses."""
    try:
        yield
    except OutputError as error:
        raise ModelError(f"the model store can not be {what}: {error.message}", hint=_cure(error)) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        message = f"the model store can not be {what}: can not write {where}{error.strerror or error}"
        raise ModelError(message, hint=OTHER_HOME) from error


def _cure(error: OutputError) -> str:
    return f"free some space, or {OTHER_HOME}" if "space" in (error.hint or "") else OTHER_HOME
