"""Publish the files of an export together: all of them appear or none, and an export that was killed leaves no trace.

Files are made in a hidden folder beside their place, and moved from there. The hidden folder is locked while its
process lives; the next export removes those whose process is gone.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from facecli.errors import OutputError
from facecli.models.disk.locks import attempted, locked

PREFIX = ".facecli-export-"
LOCK = "lock"
# Seconds for which an unlocked folder is left alone: its process may have made it just now and be about to lock it.
FRESH = 60


@contextmanager
def output_staging(folder: Path, failure: str | None = None) -> Iterator[Path]:
    """Make a folder where it is missing, and yield an empty one on its file system to work in, as `staging` does.

    failure: how the error begins; by default "can not write to FOLDER". Raises OutputError where the file system
    refuses, also for an OSError raised in the body.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with staging(folder) as staged:
            yield staged
    except OSError as error:
        raise OutputError(f"{failure or f'can not write to {folder}'}: {error.strerror}") from error


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Yield an empty folder on the file system of `folder` to work in; it is removed at the end.

    Folders that killed exports left there are removed first: the system releases a process's locks when it dies.
    Raises OSError.
    """
    _sweep(folder)
    with TemporaryDirectory(prefix=PREFIX, dir=folder) as name, ExitStack() as locks:
        with suppress(OSError):  # a file system without locks: remains of killed exports stay there
            locks.enter_context(locked(Path(name) / LOCK))
        place = Path(name) / "new"
        place.mkdir()
        yield place


def publish(files: Sequence[Path], folder: Path) -> None:
    """Move files, in this order, into a folder under their own names, over what is there.

    If one move fails, the folder's old files are put back. The files must lie in a folder of `staging`, so that each
    move is one step of the file system. Raises OSError.
    """
    targets = [folder / file.name for file in files]
    with TemporaryDirectory(prefix="old-", dir=files[0].parent.parent) as name:
        backups = [_backup(target, Path(name) / str(number)) for number, target in enumerate(targets)]
        try:
            for file, target in zip(files, targets, strict=True):
                file.replace(target)
        except BaseException:  # Ctrl-C as well
            for target, backup in zip(targets, backups, strict=True):
                with suppress(OSError):  # restore the others too, and report the first error
                    _restore(target, backup)
            raise


def _backup(target: Path, backup: Path) -> Path | None:
    """Give a file a second name, or copy it where the file system has no such names; None if there is no file."""
    if not os.path.lexists(target):
        return None
    try:
        os.link(target, backup, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(target, backup, follow_symlinks=False)
    return backup


def _restore(target: Path, backup: Path | None) -> None:
    if backup is None:
        target.unlink(missing_ok=True)
    else:
        backup.replace(target)


def _sweep(folder: Path) -> None:
    """Remove the staging folders of killed exports; a folder whose lock can not be judged stays."""
    for remains in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            lock = remains / LOCK
            if remains.is_symlink() or time.time() - lock.lstat().st_mtime <= FRESH:
                continue
            with attempted(lock) as acquired:
                if acquired:
                    shutil.rmtree(remains)
