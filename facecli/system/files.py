"""Writing files that appear whole or not at all, and errors for what the file system refuses."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facecli.errors import OutputError, UsageError
from facecli.system.home import NOWHERE

_unfinished: set[Path] = set()  # temporary files and folders at this moment, of all threads
BY_UMASK = 0o666  # of a file that whoever the umask allows may read


@contextmanager
def staged(target: Path, *, parents: bool = True, mode: int = BY_UMASK, suffix: str | None = None) -> Iterator[Path]:
    """Give a temporary file beside `target` that becomes `target` on success and vanishes on failure.

    parents: make missing folders. mode: of the file from its first byte on, less what the umask takes away. suffix: of
    the temporary file; None: that of `target`, because writers choose a format by it.

    Raises OutputError if the file system refuses.
    """
    try:
        if parents:
            target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _create_beside(target, mode, target.suffix if suffix is None else suffix)
    except OSError as error:
        raise refused(target, error) from error
    with unfinished(temporary):
        try:
            yield temporary
            temporary.replace(target)
        except OSError as error:
            raise refused(target, error) from error
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def unfinished(path: Path) -> Iterator[None]:
    """Let `discard_unfinished` delete a temporary file or folder while the block runs."""
    _unfinished.add(path)
    try:
        yield
    finally:
        _unfinished.discard(path)


def discard_unfinished() -> None:
    """Delete all that is temporary of this process, which is about to end without unwinding its threads."""
    for path in tuple(_unfinished):
        shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            path.unlink(missing_ok=True)


def write_bytes(target: Path, content: bytes, *, parents: bool = True, mode: int = BY_UMASK) -> None:
    """Write a file. parents, mode: as in `staged`. Raises OutputError if the file system refuses.

    The temporary file has no suffix: what a kill leaves of it is no `*.parquet` to those who read a job's folder.
    """
    with staged(target, parents=parents, mode=mode, suffix="") as temporary:
        temporary.write_bytes(content)


def make_folder(folder: Path, *, parents: bool = False) -> None:
    """Make a folder, if it does not exist. Raises OutputError if the file system refuses.

    parents: make missing parents, too. Without, a mistyped name can not become a tree of folders.
    """
    try:
        folder.mkdir(parents=parents, exist_ok=True)
    except OSError as error:
        raise refused(folder, error) from error


def check_writable(target: Path) -> None:
    """Raise OutputError for a file that can not be written, as one in a folder that does not exist.

    For callers that refuse it before their work begins. Nothing is left behind.
    """
    if is_folder(target):
        raise OutputError(f"can not write {target}: it is a folder", hint="name a file")
    try:
        check_name(target)
        _create_beside(target).unlink()
    except OSError as error:
        raise refused(target, error) from error


def is_folder(path: Path) -> bool:
    """Return whether a folder has this name; False, too, for a name that can not be looked up, as one that is too long.

    What is written there is refused in words then; Path.is_dir raises for it before Python 3.14.
    """
    return os.path.isdir(path)  # noqa: PTH112


def check_name(target: Path) -> None:
    """Raise OSError for a name that no file can have here, as one that is too long; whether there is one is no matter.

    A temporary file beside it has a short name, and would only find out when the work is done.
    """
    with suppress(FileNotFoundError):
        target.lstat()


def _create_beside(target: Path, mode: int = BY_UMASK, suffix: str = "") -> Path:
    """Create an empty file of a random name and a suffix beside `target`.

    Not by mkstemp, whose files are always readable for their owner alone: here the mode and the umask decide.
    """
    temporary = target.with_name(f".facecli-{os.urandom(8).hex()}{suffix}")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    return temporary


def refused(target: Path, error: OSError) -> OutputError:
    """Return the error for a file or a folder that the file system refuses."""
    if NOWHERE in target.parents:
        return OutputError("there is no home folder to write to", hint="name a folder in {home}", about="home")
    reason = error.strerror or str(error)
    if isinstance(error, FileNotFoundError) and not target.parent.is_dir():
        reason = f"there is no folder {target.parent}"
    too_long = error.errno == errno.ENAMETOOLONG
    hint = "choose a shorter name" if too_long else "choose another place or free some space"
    return OutputError(f"can not write {target}: {reason}", hint=hint)


def require_file(path: Path) -> None:
    """Raise UsageError for what is no file: a folder, a pipe or a device, which may never end or never begin."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"can not read {path}: {reason}", hint="check the name") from error
    if not regular:
        raise UsageError(f"{path} is no file", hint="name a file")


def read_whole(path: Path, most: int) -> bytes:
    """Return the bytes of a file or a pipe. Raises UsageError for a device and for more than `most` bytes, OSError."""
    with path.open("rb") as stream:
        if stat.S_ISCHR(os.fstat(stream.fileno()).st_mode):
            raise UsageError(f"{path} is no file but a device", hint="name a file")
        content = stream.read(most + 1)
    if len(content) > most:
        raise UsageError(f"{path} has more than {most} bytes", hint="is it the right file?")
    return content


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal, read piece by piece. Raises OSError."""
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
