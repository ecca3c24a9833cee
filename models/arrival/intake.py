"""Bringing model files into the store: fetched, unpacked, hashed, then moved into place, by one process at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from facecli.contract import ModelArchive, ModelFile, ModelSpec
from facecli.errors import AbsentModelError, ModelError, OutputError
from facecli.models.arrival import archives
from facecli.models.arrival.fetch import FetchedFile, Fetcher, NotFetchedError
from facecli.models.arrival.mending import mend
from facecli.models.arrival.partial import Partial
from facecli.models.arrival.request import InstalledFile, Request
from facecli.models.disk import records
from facecli.models.disk.guards import records_locked, writing
from facecli.models.disk.layout import Layout
from facecli.models.disk.licences import Licences
from facecli.models.disk.locks import locked
from facecli.models.disk.stamps import write_stamp
from facecli.system.files import sha256_of, staged, write_bytes
from facecli.version import __version__

# Archive -> the models of the catalogue that have files in it, with each of those files.
ArchiveContents = Callable[[ModelArchive], Iterable[tuple[ModelSpec, ModelFile]]]


@dataclass(frozen=True, slots=True)
class Intake:
    """The way into a store. contents: the models of the catalogue that are packed in an archive."""

    layout: Layout
    licences: Licences
    fetcher: Fetcher
    contents: ArchiveContents

    def bring(self, request: Request) -> InstalledFile:
        """Fetch a file into its place, unless another process has just done it.

        Raises ModelError if the model's licence is not accepted, if no place has the file, or if the store can not be
        written.
        """
        with writing():
            self.licences.require(request.spec)
            with locked(self.layout.lock(request.key), partial(self.fetcher.tell_waiting, request.file)):
                return request.installed() or self._bring(request)

    def mended(self, spec: ModelSpec, file: InstalledFile) -> InstalledFile:
        """Return the file that runs in place of one that was just brought in: itself, or a copy that was made good.

        Such a copy is recorded as exported files are, with what was done to it. Raises ModelError.
        """
        mended = mend(file.path)
        if mended is None:
            return file
        sha256 = hashlib.sha256(mended.content).hexdigest()
        blob = self.layout.blob(sha256, file.name)
        entry = {"name": file.name, "sha256": sha256, "size": len(mended.content)}
        origin = {"mended": list(mended.notes), "published_sha256": file.sha256, "facecli": __version__}
        with writing(), records_locked(self.layout):
            write_bytes(blob, mended.content)
            write_stamp(blob)
            records.write(self.layout.registered(spec.id), spec.id, [entry], origin)
        return InstalledFile(file.name, blob, sha256, file.source, mended.notes)

    def forget_export(self, spec: ModelSpec) -> None:
        """Delete the record of exported files that stand for a model's published ones. Raises ModelError."""
        with writing():
            if (record := self.layout.registered(spec.id)).is_file():
                with records_locked(self.layout):
                    record.unlink(missing_ok=True)

    def _bring(self, request: Request) -> InstalledFile:
        spec, file, failures = request.spec, request.file, []
        if file.urls or self.fetcher.mirror is not None or not file.packed:
            arriving = self.layout.arriving(request.key)
            try:
                fetched = self.fetcher.fetch(file, arriving)
            except NotFetchedError as error:
                failures.append(str(error))
            else:
                return self._move_in(arriving, spec, file, fetched)
        for archive, member in file.packed:
            try:
                return self._unpack(archive, member, request)
            except (NotFetchedError, ModelError) as error:
                failures.append(str(error))
        message = f"model {spec.id} is not installed and could not be fetched ({'; '.join(failures)})"
        nowhere = self.fetcher.offline and self.fetcher.mirror is None
        failure = AbsentModelError if nowhere else ModelError
        raise failure(message, hint=_how_to_fetch(spec, file), about="mirror")

    def _unpack(self, archive: ModelArchive, member: str, request: Request) -> InstalledFile:
        """Fetch an archive and take out what this model and others need of it; the archive itself is not kept."""
        with locked(self.layout.lock(archive.sha256)):
            if unpacked := request.installed():  # by another process, while this one waited for the lock
                return unpacked
            path = self.layout.arriving(archive.sha256)
            source = self.fetcher.fetch(archive, path).source
            try:
                with archives.opened(path, archive.name) as opened:
                    file = self._take_out(opened, member, request.spec, request.file, source)
                    self._take_out_others(archive, opened, request.file, source)
            finally:
                Partial(path).discard()
            return file

    def _take_out_others(self, archive: ModelArchive, opened: ZipFile, but: ModelFile, source: str) -> None:
        """Spare other models a download of the archive; their failures are reported when they are asked for."""
        for spec, file in self.contents(archive):
            if file.name != but.name and self.licences.accepted(spec):
                with suppress(ModelError, OutputError):
                    self._take_out(opened, dict(file.packed)[archive], spec, file, source)

    def _take_out(self, archive: ZipFile, member: str, spec: ModelSpec, file: ModelFile, source: str) -> InstalledFile:
        """Write a member of an archive into its place. Raises ModelError, with nothing kept, if it is not the file."""
        assert file.sha256 is not None  # a packed file's is stated
        blob = self.layout.blob(file.sha256, file.name)
        with ExitStack() as stack:
            temporary = stack.enter_context(staged(blob))
            archives.extract(archive, archives.find(archive, member), temporary, file.size)
            digest = sha256_of(temporary)
            if digest != file.sha256:
                raise ModelError(f"{source}: sha256 of {member} is {digest}, not {file.sha256}")
            with records_locked(self.layout):
                stack.close()  # moves it into place
                return self._record(blob, spec, file, FetchedFile(f"{source}/{member}", digest))

    def _move_in(self, path: Path, spec: ModelSpec, file: ModelFile, fetched: FetchedFile) -> InstalledFile:
        """Move a fetched file into its place, and record where it is from."""
        blob = self.layout.blob(fetched.sha256, file.name)
        Partial(path).drop_note()
        blob.parent.mkdir(parents=True, exist_ok=True)
        with records_locked(self.layout):
            path.replace(blob)
            return self._record(blob, spec, file, fetched)

    def _record(self, blob: Path, spec: ModelSpec, file: ModelFile, fetched: FetchedFile) -> InstalledFile:
        """Write the stamp of a file that is in its place, and its entry in the model's record."""
        write_stamp(blob)
        path = self.layout.fetched(spec.id)
        try:
            record = records.read(path)
        except (ValueError, RecursionError):
            record = {}  # a damaged one is written anew
        entry = {"name": file.name, "sha256": fetched.sha256, "size": blob.stat().st_size}
        others = [other for other in record.get("files", ()) if other["name"] != file.name]
        sources = record.get("origin", {}).get("sources", {}) | {file.name: fetched.source}
        origin = {"sources": sources, "licence": spec.licence, "facecli": __version__}
        records.write(path, spec.id, [*others, entry], origin)
        return InstalledFile(file.name, blob, fetched.sha256, fetched.source)


def register(layout: Layout, model_id: str, files: Sequence[Path], origin: Mapping[str, Any]) -> None:
    """Copy files of the user's into the store as a model's, and record them. Raises ModelError if that fails.

    origin: where the files are from, as JSON can hold it.
    """
    with writing(), records_locked(layout):
        entries = [_copy_in(layout, path) for path in files]
        records.write(layout.registered(model_id), model_id, entries, origin)


def _copy_in(layout: Layout, path: Path) -> records.Entry:
    import shutil

    sha256 = sha256_of(path)
    blob = layout.blob(sha256, path.name)
    with staged(blob) as temporary:
        shutil.copyfile(path, temporary)
    write_stamp(blob)
    return {"name": path.name, "sha256": sha256, "size": blob.stat().st_size}


def _how_to_fetch(spec: ModelSpec, file: ModelFile) -> str:
    hint = f"try `facecli models pull {spec.id}` again, or name a folder that has {file.name} in {{mirror}}"
    return f"{hint}, or {spec.hint}" if spec.hint else hint
