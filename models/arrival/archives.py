"""Zip archives from elsewhere: members are read by name into files of our own naming; nothing is ever unpacked."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from facecli.errors import ModelError

CHUNK = 2**20  # bytes
ENCRYPTED = 1  # bit of a member's flags (PKWARE, APPNOTE 4.4.4)
AGAIN = "export or fetch it again"  # a hint
LARGEST = 4 * 2**30  # bytes of a member whose size is not stated


@contextmanager
def opened(path: Path, name: str) -> Iterator[ZipFile]:
    """Open an archive all of whose member names are harmless, and none of which is encrypted.

    Raises ModelError, with the archive's `name`, for any other archive, and for damage that is found while the block
    reads.
    """
    try:
        archive = ZipFile(path)
    except (BadZipFile, ValueError, EOFError, NotImplementedError, OverflowError) as error:
        raise _unreadable(name, error) from error
    try:
        with archive:
            for info in archive.infolist():
                if not _is_harmless(info):
                    message = f"{name} is refused: its member {info.filename!r} would lie outside of it"
                    raise ModelError(message, hint=AGAIN)
                if info.flag_bits & ENCRYPTED:
                    raise ModelError(
                        f"{name} is encrypted, which is not read", hint="export it again without a password"
                    )
            yield archive
    except (BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> ModelError:
    return ModelError(f"{name} is no zip file that can be read: {error}", hint=AGAIN)


def find(archive: ZipFile, name: str) -> ZipInfo:
    """Return the member with this file name, in any folder. Raises ModelError unless there is exactly one."""
    members = [info for info in archive.infolist() if PurePosixPath(info.filename).name == name and not info.is_dir()]
    if len(members) != 1:
        names = ", ".join(sorted(PurePosixPath(info.filename).name for info in archive.infolist())[:20])
        raise ModelError(f"there are {len(members)} files {name} in the archive, not one", hint=f"it has {names}")
    return members[0]


def extract(archive: ZipFile, info: ZipInfo, target: Path, size: int | None) -> None:
    """Write a member's bytes to `target`. Raises ModelError if they are not `size` bytes (None: any), and OSError.

    The header's size is checked first, and never more than `size` bytes are written: headers lie.
    """
    limit = LARGEST if size is None else size
    subject = f"the archive's {info.filename} has "
    if info.file_size > limit or (size is not None and info.file_size != size):
        raise ModelError(f"{subject}{info.file_size} bytes, not {limit}", hint=AGAIN)
    with archive.open(info) as source, target.open("wb") as stream:
        if _copy(source, stream, limit) > limit:
            raise ModelError(f"{subject}more than the {limit} bytes that are stated", hint=AGAIN)


def _copy(source: IO[bytes], target: IO[bytes], limit: int) -> int:
    """Copy up to one byte more than `limit`; return the number of bytes that were read."""
    done = 0
    while done <= limit and (chunk := source.read(CHUNK)):
        target.write(chunk[: limit + 1 - done])
        done += len(chunk)
    return done


def _is_harmless(info: ZipInfo) -> bool:
    """Return True if a member is a file or folder that stays below its archive's folder, on Linux and on Windows."""
    path, windows = PurePosixPath(info.filename), PureWindowsPath(info.filename)
    outside = path.is_absolute() or windows.anchor or ".." in path.parts or ".." in windows.parts
    return not outside and not stat.S_ISLNK(info.external_attr >> 16)
