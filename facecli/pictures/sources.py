"""Where pictures come from: files, folders, globs, URLs, stdin, and lists of names."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedIOBase, RawIOBase
from typing import TYPE_CHECKING, cast

from facecli.errors import InputError

if TYPE_CHECKING:
    from facecli.types import Limits


_BLOCK = 2**20
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """One picture that has not been read yet, and its name as the user gave it (surrogateescape for odd bytes)."""

    name: str
    reader: Callable[[str, Limits], bytes]

    def read(self, limits: Limits) -> bytes:
        """The picture file's bytes; InputError (FetchError for a URL) if there are none within the limits."""
        return self.reader(self.name, limits)


def single(name: str) -> Source:
    """The one picture that a name stands for: a file, a URL, or - for stdin; nothing is expanded."""
    if name == "-":
        return Source(name, _read_stdin)
    return Source(name, _read_url if _URL.match(name) else _read_file)


def _read_url(name: str, limits: Limits) -> bytes:
    from facecli.pictures.fetching import fetch

    return fetch(name, limits)


def _read_stdin(name: str, limits: Limits) -> bytes:
    try:
        return _bounded(_stdin(), name, limits)
    except (OSError, ValueError) as error:  # ValueError: it was closed
        raise InputError(f"can not read stdin: {_why(error)}", hint="check what it is") from error


def _read_file(name: str, limits: Limits) -> bytes:
    try:
        with open(name, "rb", buffering=0) as handle:  # noqa: PTH123 # Path("") would be "."
            status = os.fstat(handle.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size > limits.max_bytes:
                raise too_large(name, limits)
            return _bounded(handle, name, limits)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        hint = "check the name" if isinstance(error, FileNotFoundError) else "check what it is and its permissions"
        raise InputError(f"can not read {name}: {_why(error)}", hint=hint) from error


def _bounded(handle: RawIOBase | BufferedIOBase, name: str, limits: Limits) -> bytes:
    chunks, size = [], 0
    while chunk := handle.read(_BLOCK):
        chunks.append(chunk)
        size += len(chunk)
        if size > limits.max_bytes:
            raise too_large(name, limits)
    return b"".join(chunks)


def too_large(name: str, limits: Limits) -> InputError:
    """Return the error for a picture file of more than limits.max_bytes bytes."""
    message = f"{name} is too large: more than {limits.max_bytes} bytes"
    return InputError(message, hint="raise {max_bytes} if you trust it", about="max_bytes")


def _stdin() -> BufferedIOBase:
    if sys.stdin is None:
        raise InputError("stdin is closed", hint="name a file instead of -")
    return cast("BufferedIOBase", sys.stdin.buffer)  # typed as BinaryIO, which has no read1


def _why(error: OSError | ValueError) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return reason[:1].lower() + reason[1:]
