"""Fetching a file from the first place that has it: the mirror, a folder or a URL, then the publisher's URLs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import quote

from facecli.contract import ModelArchive, ModelFile
from facecli.errors import OutputError
from facecli.models.arrival.partial import Partial
from facecli.models.arrival.transfer import Download, Progress, TransferError, copy, download
from facecli.models.disk.guards import require_room
from facecli.redaction import without_secrets
from facecli.system.files import sha256_of

Fetchable = ModelFile | ModelArchive


class NotFetchedError(Exception):
    """No place gave the file; the message has each place with its reason."""


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """The place that a file was fetched from, without credentials, and the sha256 of its content."""

    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches files by mirror and network.

    mirror: a URL or a folder that is asked first, by file name. offline: never use the network. progress: called with
    every chunk.
    """

    mirror: str | None
    offline: bool
    progress: Progress | None = None

    def fetch(self, file: Fetchable, path: Path) -> FetchedFile:
        """Make `path` the file, checked by its sha256 if that is known. Raises NotFetchedError, OutputError."""
        partial, failures = Partial(path), []
        if path.is_symlink():  # whoever put it there wants to have another file written
            partial.discard()
        # Checked before an hour of downloading, not after it.
        require_room(path.parent, (file.size or 0) - partial.length, f"can not write {path}: {file.name}")
        try:
            for place in self._places(file):
                try:
                    return self._fetch(place, file, partial)
                except TransferError as error:
                    failures.append(f"{without_secrets(place)}: {error}")
        except OutputError:  # a full disk would stay full of bytes that nobody can use
            partial.discard()
            raise
        raise NotFetchedError("; ".join(failures) or "no place to fetch it from is known")

    def tell_waiting(self, file: Fetchable) -> None:
        """Tell the user that another process is fetching a file, and this one waits for it."""
        if self.progress is not None:
            self.progress(f"{file.name}, which another process is fetching", 0, file.size)

    def _places(self, file: Fetchable) -> Iterator[str]:
        if self.mirror is not None:
            # By name, or by content: the blobs of another store are a mirror, too.
            suffix = PurePath(file.name).suffix
            names = [file.name] + [f"{file.sha256}{suffix}"] * (file.sha256 is not None)
            if _is_url(self.mirror):
                yield from (f"{self.mirror.rstrip('/')}/{quote(name)}" for name in names)
            else:
                paths = [Path(self.mirror) / name for name in names]
                yield from map(str, [path for path in paths if path.is_file()] or paths[:1])
        yield from file.urls

    def _fetch(self, place: str, file: Fetchable, partial: Partial) -> FetchedFile:
        if not _is_url(place):
            copy(Path(place), partial, file.name, self.progress)
            return _checked(place, file, partial)
        if self.offline:
            raise TransferError("offline")
        request = Download(file.name, file.size, pinned=file.sha256 is not None)
        resumed = partial.length > 0
        complete = file.sha256 is not None and partial.length > 0 and partial.length == file.size
        try:
            if not complete:
                download(place, request, partial, self.progress)
            return _checked(place, file, partial)
        except TransferError:
            if not resumed or partial.length:
                raise
        # The bytes on the disk were of another file, or damaged: not the fault of this place.
        download(place, request, partial, self.progress)
        return _checked(place, file, partial)


def _checked(place: str, file: Fetchable, partial: Partial) -> FetchedFile:
    actual = sha256_of(partial.path)
    if file.sha256 not in (None, actual):
        partial.discard()
        raise TransferError(f"sha256 is {actual}, not {file.sha256}")
    return FetchedFile(without_secrets(place), actual)


def _is_url(place: str) -> bool:
    """Return True for a URL of any scheme, False for a path."""
    return "://" in place
