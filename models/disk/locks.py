"""Locks between processes and threads: a lock on a file, which the system takes back when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # opening a link would make a file elsewhere
_WINDOWS_PAUSE = 0.1  # seconds between two tries: msvcrt's own waiting gives up after ten seconds


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock while the block runs; first wait for its holder, another thread included. Raises OSError.

    waiting: called once if there is somebody to wait for.
    """
    descriptor = _open_locked(path, waiting)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps what is open
            path.unlink()
        os.close(descriptor)  # which gives the lock back


@contextmanager
def attempted(path: Path) -> Iterator[bool]:
    """Yield True and hold the lock while the block runs, or yield False at once if it is taken. Raises OSError."""
    descriptor = _open(path)
    held = False
    try:
        held = _try(descriptor) and _is_at(descriptor, path)
        yield held
    finally:
        if held:
            with suppress(OSError):
                path.unlink()
        os.close(descriptor)


def _open_locked(path: Path, waiting: Callable[[], None] | None) -> int:
    while True:
        descriptor = _open(path)
        try:
            if not _try(descriptor):
                if waiting is not None:
                    waiting()
                    waiting = None
                _acquire(descriptor)
            held = _is_at(descriptor, path)
        except BaseException:
            os.close(descriptor)
            raise
        if held:
            return descriptor
        os.close(descriptor)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o666)


def _is_at(descriptor: int, path: Path) -> bool:
    """Return False if the earlier holder has deleted the locked file: the next process would lock a new one."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _acquire(descriptor: int) -> None:
        while not _try(descriptor):
            time.sleep(_WINDOWS_PAUSE)

else:
    import fcntl

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _acquire(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
