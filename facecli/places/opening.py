"""The two kinds of places: a folder of this machine, or a prefix in an object store that fsspec opens."""

from __future__ import annotations

import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from facecli.errors import OutputError, UsageError
from facecli.pictures.sources import URL
from facecli.places import objects
from facecli.places.place import Place
from facecli.redaction import without_secrets
from facecli.system.files import check_writable, make_folder, refused, unfinished, write_bytes

LOCAL = "file://"  # before the absolute path of a folder of this machine


class LocalPlace(Place):
    """A folder of this machine, or one that all machines have mounted."""

    def __init__(self, folder: str) -> None:
        self._root = Path(folder)

    def check(self) -> None:
        """Make the folder. Raises OutputError if nothing can be written in it."""
        make_folder(self._root)
        check_writable(self._root / "job.json")

    def write(self, name: str, content: bytes) -> None:
        """Write a file under a name of its own, and move it to its place."""
        write_bytes(self._root / name, content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file and link it to its place: unlike a move, a link replaces nothing."""
        target = self._root / name
        temporary = target.with_name(f".facecli-{os.urandom(8).hex()}")
        with unfinished(temporary):
            try:
                temporary.write_bytes(content)
                _link(temporary, target)
            except FileExistsError:
                return False
            except OSError as error:
                raise refused(target, error) from error
            finally:
                temporary.unlink(missing_ok=True)
        return True

    def open(self, name: str) -> IO[bytes]:
        """Open a file."""
        return (self._root / name).open("rb")

    def names(self, folder: str) -> set[str]:
        """Return the names in a folder; temporary files, which are hidden, are left out."""
        try:
            return {name for name in os.listdir(self._root / folder) if not name.startswith(".")}  # noqa: PTH208
        except FileNotFoundError:
            return set()

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self._root / name).unlink(missing_ok=True)


def _link(file: Path, target: Path) -> None:
    """Give a file the name `target`, which no file has. Raises FileExistsError if one has, OSError."""
    try:
        os.link(file, target)
    except FileExistsError:
        raise
    except OSError:  # there are no links here, as on exFAT
        target.touch(exist_ok=False)
        file.replace(target)


class ObjectPlace(Place):
    """A prefix in an object store: one PUT is one whole file."""

    def __init__(self, url: str) -> None:
        self._files, self._root = objects.opened(url.rstrip("/"))
        self._shown = without_secrets(url.rstrip("/"))

    def write(self, name: str, content: bytes) -> None:
        """Put an object."""
        with objects.told(f"can not write {name}", OutputError):
            self._files.pipe_file(self._path(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Put an object on the condition that there is none, which S3 and its like hold for all who try."""
        with objects.told(f"can not write {name}", OutputError):
            try:
                self._files.pipe_file(self._path(name), content, mode="create")
            except FileExistsError:
                return False
        return True

    def open(self, name: str) -> IO[bytes]:
        """Open an object; small ones are fetched at once."""
        with objects.told(f"can not read {name}", OutputError, keep=(FileNotFoundError,)):
            head: bytes = self._files.cat_file(self._path(name), start=0, end=objects.SMALL)
            if len(head) < objects.SMALL:
                return BytesIO(head)
            stream: Any = self._files.open(self._path(name), "rb")
            return stream  # type: ignore[no-any-return]

    def names(self, folder: str) -> set[str]:
        """Return the names of the objects below a prefix."""
        with objects.told(f"can not list {self._shown}/{folder}", OutputError):
            self._files.invalidate_cache()
            try:
                listed = self._files.ls(self._path(folder), detail=False)
            except FileNotFoundError:
                return set()
        return {str(name).rstrip("/").rpartition("/")[2] for name in listed}

    def remove(self, name: str) -> None:
        """Remove an object."""
        with objects.told(f"can not remove {name}", OutputError), suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def open_place(name: str, *, read_only: bool = False) -> Place:
    """Return the place that a name stands for, made if it is a local folder that does not exist.

    read_only: nothing is made, and nothing will be written. Raises OutputError for a folder that can not be written,
    DeviceError if what opens a URL is not installed, UsageError for memory://, which no other process sees.
    """
    if name.lower().startswith("memory://"):
        message = "memory:// is this process's alone, and a job has several"
        raise UsageError(message, hint="name a folder, or a place in a store", about="output")
    if URL.match(name) and not name.lower().startswith(LOCAL):
        return ObjectPlace(name)
    place = LocalPlace(name[len(LOCAL) :] if name.lower().startswith(LOCAL) else name)
    if not read_only:
        place.check()
    return place


def in_store(name: str) -> bool:
    """Return whether a name is that of a place or an object in a store; http and https are read by our own client."""
    return bool(URL.match(name)) and name.partition("://")[0].lower() not in ("http", "https")
