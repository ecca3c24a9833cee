"""One process at a time: a lock on a file, which the system takes back when its holder dies, also by kill -9."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NOT_A_LINK = getattr(os, "O_NOFOLLOW", 0)  # which would make a file elsewhere
_WINDOWS_PAUSE = 0.1  # seconds between two tries: msvcrt's own waiting gives up after ten seconds


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs; wait for whoever has it, a thread of this process too. Raises OSError."""
    descriptor = _open_locked(path)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps what is open
            path.unlink()
        os.close(descriptor)  # which gives the lock back


def _open_locked(path: Path) -> int:
    while True:
        descriptor = _open(path)
        try:
            _acquire(descriptor)
            mine = _is_at(descriptor, path)
        except BaseException:
            os.close(descriptor)
            raise
        if mine:
            return descriptor
        os.close(descriptor)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | _NOT_A_LINK, 0o666)


def _is_at(descriptor: int, path: Path) -> bool:
    """False once who held the lock has deleted it: who comes then would lock a new file of that name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


@contextmanager
def attempted(path: Path) -> Iterator[bool]:
    """Hold the lock while the block runs if nobody else does, without waiting; whether it is held. Raises OSError."""
    descriptor = _open(path)
    mine = False
    try:
        mine = _try(descriptor) and _is_at(descriptor, path)
        yield mine
    finally:
        if mine:
            with suppress(OSError):
                path.unlink()
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
