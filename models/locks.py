"""One process at a time: a lock on a file, which the system takes back when its holder dies, also by kill -9."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_WINDOWS_PAUSE = 0.1  # seconds between two tries: msvcrt's own waiting gives up after ten seconds


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs; wait for whoever has it, a thread of this process too. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _open_locked(path)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps what is open
            path.unlink()
        os.close(descriptor)  # which gives the lock back


def _open_locked(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        _acquire(descriptor)
        # Who held it has deleted it: who comes now would lock a new file of that name.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock now. Raises OSError."""
    if not path.is_file():
        return False
    descriptor = os.open(path, os.O_RDWR)
    try:
        return not _try(descriptor)
    finally:
        os.close(descriptor)


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
