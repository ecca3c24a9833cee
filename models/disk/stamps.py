"""Stamps: the size and modification time that a model file had when it was hashed.

A stamp that still fits stands for the hash at each load, because a cold start can not afford to hash every model. That
of a file in the store lies beside the file; that of a file which a package carries lies in the store, by its sha256.
"""

from __future__ import annotations

import os
from pathlib import Path

from facecli.system.files import write_bytes


def stamp_path(blob: Path) -> Path:
    """Return the place of the stamp of a file in the store."""
    return blob.with_suffix(".stamp")


def write_stamp(file: Path, status: os.stat_result | None = None, stamp: Path | None = None) -> None:
    """Write the stamp of a model file that has just been hashed.

    status: the file's status from before it was hashed; default: its present one. stamp: its place, for a file that a
    package carries. Raises OSError, and OutputError if the stamp can not be written.
    """
    write_bytes(stamp or stamp_path(file), _content(file, status or file.stat(), stamp))


def has_stamp(file: Path, status: os.stat_result, stamp: Path | None = None) -> bool:
    """Return True if a file's stamp is that of this status, so that the file need not be hashed again.

    stamp: its place, for a file that a package carries.
    """
    try:
        return (stamp or stamp_path(file)).read_bytes() == _content(file, status, stamp)
    except OSError:
        return False


def is_needed(stamp: Path) -> bool:
    """Return True if the package's file that a stamp is of is there. Raises OSError."""
    _, _, file = (stamp.read_bytes() + b"  ").split(b" ", 2)
    return Path(os.fsdecode(file.strip())).is_file()


def _content(file: Path, status: os.stat_result, stamp: Path | None) -> bytes:
    """Return the content of a stamp. One that does not lie beside its file names it: two packages may have one."""
    content = f"{status.st_size} {status.st_mtime_ns}".encode()
    return content if stamp is None else content + b" " + os.fsencode(file)
