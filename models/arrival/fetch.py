"""Getting a file from the first place that has it: a mirror folder, a mirror URL, the publisher's URLs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import quote

from facecli.contract import ModelArchive, ModelFile
from facecli.errors import OutputError
from facecli.models.arrival.transfer import Partial, Progress, TransferError, Wanted, copy, download, public
from facecli.system.files import sha256_of

Fetchable = ModelFile | ModelArchive


class NotFetchedError(Exception):
    """No place gave the file; the message has each with its reason."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where a file came from, and its sha256."""

    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Fetcher:
    """mirror: a URL or a folder that is asked first, by file name. offline: never ask the network."""

    mirror: str | None
    offline: bool
    progress: Progress | None = None

    def fetch(self, file: Fetchable, path: Path) -> Fetched:
        """Make `path` the file, checked by sha256 if that is known. Raises NotFetchedError, OutputError."""
        partial, failures = Partial(path), []
        if path.is_symlink():  # whoever put it there wants to have another file written
            partial.discard()
        _check_space(file, partial)
        try:
            for place in self._places(file):
                try:
                    return self._fetch(place, file, partial)
                except TransferError as error:
                    failures.append(f"{public(place)}: {error}")
        except OutputError:  # a full disk would stay full of what nobody can use
            partial.discard()
            raise
        raise NotFetchedError("; ".join(failures) or "no place to fetch it from is known")

    def _places(self, file: Fetchable) -> Iterator[str]:
        if self.mirror is not None:
            # By name, or by content: the folder of another store's blobs is a mirror, too.
            suffix = PurePath(file.name).suffix
            names = [file.name] + [f"{file.sha256}{suffix}"] * (file.sha256 is not None)
            if _is_url(self.mirror):
                yield from (f"{self.mirror.rstrip('/')}/{quote(name)}" for name in names)
            else:
                paths = [Path(self.mirror) / name for name in names]
                yield from map(str, [path for path in paths if path.is_file()] or paths[:1])
        yield from file.urls

    def _fetch(self, place: str, file: Fetchable, partial: Partial) -> Fetched:
        if not _is_url(place):
            copy(Path(place), partial, file.name, self.progress)
            return _checked(place, file, partial)
        if self.offline:
            raise TransferError("offline")
        wanted = Wanted(file.name, file.size, pinned=file.sha256 is not None)
        resumed = partial.length > 0
        try:
            if file.sha256 is None or not partial.length or partial.length != file.size:  # else it is all there
                download(place, wanted, partial, self.progress)
            return _checked(place, file, partial)
        except TransferError:
            if not resumed or partial.length:
                raise
        # What was there before was of another file, or damaged: not the fault of this place.
        download(place, wanted, partial, self.progress)
        return _checked(place, file, partial)


def _checked(place: str, file: Fetchable, partial: Partial) -> Fetched:
    actual = sha256_of(partial.path)
    if file.sha256 not in (None, actual):
        partial.discard()
        raise TransferError(f"sha256 is {actual}, not {file.sha256}")
    return Fetched(public(place), actual)


def _check_space(file: Fetchable, partial: Partial) -> None:
    """Refuse, before an hour of downloading, what the disk has no room for."""
    partial.path.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(partial.path.parent).free
    needed = (file.size or 0) - partial.length
    if needed > free:
        message = f"can not write {partial.path}: {file.name} needs {needed} bytes, and {free} are free"
        raise OutputError(message, hint="free some space")


def _is_url(place: str) -> bool:
    return "://" in place
