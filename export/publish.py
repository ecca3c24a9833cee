"""Where an export works, and how its files appear: all of them or none, and no trace of exports that were killed."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from facecli.models.disk.locks import attempted, locked

PREFIX = ".facecli-export-"
LOCK = "lock"
# Seconds that a folder is left alone whose lock nobody holds: who has just made it may be about to take it.
FRESH = 60


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """An empty folder on the file system of `folder`, to work in; it vanishes at the end.

    Those of exports that were killed are removed first: what a process holds, the system gives back when it dies.
    Raises OSError.
    """
    _sweep(folder)
    with TemporaryDirectory(prefix=PREFIX, dir=folder) as name, ExitStack() as held:
        with suppress(OSError):  # a file system without locks: what is left there is not swept
            held.enter_context(locked(Path(name) / LOCK))
        place = Path(name) / "new"
        place.mkdir()
        yield place


def publish(moves: Sequence[tuple[Path, Path]]) -> None:
    """Move files to their places, (from, to): if one fails, what was there before is there again. Raises OSError.

    The files come from a folder of `staging`, so that each move is one step of the file system.
    """
    with TemporaryDirectory(prefix="old-", dir=moves[0][0].parent.parent) as name:
        kept = [_kept(target, Path(name) / str(number)) for number, (_, target) in enumerate(moves)]
        try:
            for source, target in moves:
                source.replace(target)
        except BaseException:  # Ctrl-C as well
            for (_, target), old in zip(moves, kept, strict=True):
                with suppress(OSError):  # the others still want to be restored, and the first error to be told
                    _restore(target, old)
            raise


def _kept(target: Path, place: Path) -> Path | None:
    """A second name for what is at the target, or a copy where the file system has no such names; None for nothing."""
    if not os.path.lexists(target):
        return None
    try:
        os.link(target, place, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(target, place, follow_symlinks=False)
    return place


def _restore(target: Path, old: Path | None) -> None:
    if old is None:
        target.unlink(missing_ok=True)
    else:
        old.replace(target)


def _sweep(folder: Path) -> None:
    """Remove what killed exports have left; whatever can not be judged stays."""
    for left in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            lock = left / LOCK
            if left.is_symlink() or time.time() - lock.lstat().st_mtime <= FRESH:
                continue
            with attempted(lock) as mine:
                if mine:
                    shutil.rmtree(left)
