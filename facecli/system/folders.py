"""Folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facecli.errors import OutputError
from facecli.system.files import check_name, is_folder, refused, unfinished


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

    target: does not exist. Raises OutputError if the file system refuses.
    """
    temporary = _beside(target)
    try:
        with unfinished(temporary):
            temporary.mkdir()
            yield temporary
            temporary.rename(target)  # which is refused if somebody has put something there meanwhile
    except OSError as error:
        raise refused(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_writable(folder: Path) -> None:
    """Raise OutputError for a folder that can not be made, or that nothing can be written into; nothing is left behind.

    For callers that refuse it before their work begins.
    """
    temporary = folder / f".facecli-{os.urandom(8).hex()}" if is_folder(folder) else _beside(folder)
    try:
        check_name(folder)
        if folder.is_symlink() and not folder.exists():
            raise FileExistsError(errno.EEXIST, "it is a link to nowhere")
        temporary.mkdir()
        temporary.rmdir()
    except OSError as error:
        raise refused(folder, error) from error


def _beside(target: Path) -> Path:
    return target.with_name(f".facecli-{os.urandom(8).hex()}")
