"""Stamps: the size and modification time that a model file had when it was hashed, written beside the file.

A stamp that still fits stands for the hash at each load, because a cold start can not afford to hash every model.
"""

from __future__ import annotations

import os
from pathlib import Path

from facecli.system.files import write_bytes


def stamp_path(blob: Path) -> Path:
    """Return the place of a model file's stamp."""
    return blob.with_suffix(".stamp")


def write_stamp(blob: Path, status: os.stat_result | None = None) -> None:
    """Write the stamp of a file that has just been hashed. Raises OSError, and OutputError if it can not be written.

    status: the file's status from before it was hashed; default: its present one.
    """
    write_bytes(stamp_path(blob), _content(status or blob.stat()))


def has_stamp(blob: Path, status: os.stat_result) -> bool:
    """Return True if the stamp beside a file is that of this status, so that the file need not be hashed again."""
    try:
        return stamp_path(blob).read_bytes() == _content(status)
    except OSError:
        return False


def _content(status: os.stat_result) -> bytes:
    return f"{status.st_size} {status.st_mtime_ns}".encode()
