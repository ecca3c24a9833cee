"""Files out of zip archives: those that are wanted, by name, into files of our own naming; nothing is ever unpacked."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from facecli.errors import ModelError

CHUNK = 2**20
LARGEST = 4 * 2**30  # bytes of a member whose size is not stated


@contextmanager
def opened(path: Path, name: str) -> Iterator[ZipFile]:
    """An archive whose members' names are harmless. Raises ModelError for any other, and for one that is damaged."""
    try:
        with ZipFile(path) as archive:
            for info in archive.infolist():
                if not _harmless(info):
                    raise ModelError(f"{name} is refused: its member {info.filename!r} would lie outside of it")
            yield archive
    except (BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise ModelError(f"{name} is no zip file that can be read: {error}") from error


def find(archive: ZipFile, name: str) -> ZipInfo:
    """The member of this file name, in whatever folder. Raises ModelError unless there is exactly one."""
    found = [info for info in archive.infolist() if PurePosixPath(info.filename).name == name and not info.is_dir()]
    if len(found) != 1:
        have = ", ".join(sorted(PurePosixPath(info.filename).name for info in archive.infolist())[:20])
        raise ModelError(f"there are {len(found)} files {name} in the archive, not one", hint=f"it has {have}")
    return found[0]


def extract(archive: ZipFile, info: ZipInfo, target: Path, size: int | None) -> None:
    """Write a member's bytes to `target`, and no more than `size`. Raises ModelError for another size, and OSError."""
    limit = LARGEST if size is None else size
    told = f"the archive's {info.filename} has "
    if info.file_size > limit or (size is not None and info.file_size != size):
        raise ModelError(f"{told}{info.file_size} bytes, not {limit}")
    with archive.open(info) as source, target.open("wb") as stream:
        if _copy(source, stream, limit) > limit:  # the header lied
            raise ModelError(f"{told}more than the {limit} bytes that are stated")


def _copy(source: IO[bytes], target: IO[bytes], limit: int) -> int:
    done = 0
    while done <= limit and (chunk := source.read(CHUNK)):
        target.write(chunk[: limit + 1 - done])
        done += len(chunk)
    return done


def _harmless(info: ZipInfo) -> bool:
    """Whether a member is a file or folder below where it would be unpacked, on Linux and on Windows."""
    path, windows = PurePosixPath(info.filename), PureWindowsPath(info.filename)
    outside = path.is_absolute() or windows.anchor or ".." in path.parts or ".." in windows.parts
    return not outside and not stat.S_ISLNK(info.external_attr >> 16)
