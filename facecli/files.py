"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facecli.errors import OutputError


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A temporary file beside `target` that becomes `target` on success and vanishes on failure.

    It keeps the suffix of `target`, because writers choose a format by it. Raises OutputError where the file system
    refuses.
    """
    import tempfile  # pulls random and hashlib in: not at start-up

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".facecli-", suffix=target.suffix)
    except OSError as error:
        raise _refused(target, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp made it private
        temporary.replace(target)
    except OSError as error:
        raise _refused(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(target: Path, content: bytes) -> None:
    """Write a whole file. Raises OutputError where the file system refuses."""
    with staged(target) as temporary:
        temporary.write_bytes(content)


def _refused(target: Path, error: OSError) -> OutputError:
    return OutputError(f"can not write {target}: {error.strerror}", hint="choose another place or free some space")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
