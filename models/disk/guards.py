"""Guards for readers and writers of the store: the lock of the records, and errors that name the way out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from facecli.errors import ModelError, OutputError
from facecli.models.disk.layout import Layout
from facecli.models.disk.locks import locked
from facecli.system.home import NOWHERE

RECORDS = "records"  # key of the lock that `records_locked` holds
OTHER_HOME = "name another folder in {home}"  # a hint; {home} is a setting


def records_locked(layout: Layout) -> AbstractContextManager[None]:
    """Hold the lock under which model files move into and out of their places together with their records.

    Because of it `prune` never sees a file whose record is still to be written. Raises OSError.
    """
    return locked(layout.lock(RECORDS))


@contextmanager
def writing(action: str = "filled") -> Iterator[None]:
    """Turn file-system errors of the block, which writes into the store, into ModelError.

    action: completes "the model store can not be ...", as "filled" or "changed" do.
    """
    try:
        yield
    except OutputError as error:
        full = "space" in (error.hint or "")
        hint = f"free some space, or {OTHER_HOME}" if full else OTHER_HOME
        raise ModelError(f"the model store can not be {action}: {error.message}", hint=hint, about="home") from error
    except OSError as error:
        if NOWHERE in Path(error.filename or "").parents:
            raise ModelError(
                "there is no home folder for models", hint="name a folder in {home}", about="home"
            ) from error
        where = f"{error.filename}: " if error.filename else ""
        message = f"the model store can not be {action}: can not write {where}{error.strerror or error}"
        raise ModelError(message, hint=OTHER_HOME, about="home") from error


@contextmanager
def reading(path: Path | None) -> Iterator[None]:
    """Turn OSErrors of the block, which reads `path`, into ModelError."""
    try:
        yield
    except OSError as error:
        message = f"{path} can not be read: {error.strerror}"
        raise ModelError(message, hint=f"mend it, or {OTHER_HOME}", about="home") from error


def require_room(folder: Path, size: int, what: str) -> None:
    """Make a folder, and raise OutputError if its disk has less than `size` bytes free. what: begins the message."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OutputError(f"{what} needs {size} bytes, and {free} are free", hint="free some space")
