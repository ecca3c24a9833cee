"""Folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facecli.errors import OutputError


def is_used(folder: Path) -> bool:
    """Return whether a folder exists and has anything in it. Raises OutputError for a file of this name."""
    try:
        with os.scandir(folder) as entries:
            return any(True for _ in entries)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OutputError(f"can not write into {folder}: {error.strerror}", hint="name a folder") from error


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside `target` that becomes `target` on success and vanishes on failure.

    target: does not exist, or is an empty folder. Raises OutputError if the file system refuses.
    """
    temporary = target.with_name(f".facecli-{os.urandom(8).hex()}")
    try:
        temporary.mkdir()
        yield temporary
        if target.exists():
            target.rmdir()  # which is refused if somebody has put something there meanwhile
        temporary.rename(target)
    except OSError as error:
        reason = error.strerror or str(error)
        if isinstance(error, FileNotFoundError) and not target.parent.is_dir():
            reason = f"there is no folder {target.parent}"
        hint = "choose another place or free some space"
        raise OutputError(f"can not write {target}: {reason}", hint=hint) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
