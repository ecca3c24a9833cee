"""One picture that has a name and has not been read yet: a file, a URL, or stdin.

Reading is bounded, because a name may lead to an endless device, a huge file or a slow server.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedIOBase, RawIOBase
from typing import TYPE_CHECKING, cast

from facecli.errors import FacecliError, InputError
from facecli.pictures.gathering import gathered
from facecli.redaction import shortened, without_secrets

if TYPE_CHECKING:
    from facecli.types import Limits


BLOCK = 2**20  # bytes that are read at once
URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+[;,]", re.IGNORECASE)
# Where one picture ends and the next begins at once: what `cat a.jpg b.jpg` makes. A JPEG of the Multi-Picture Format
# (CIPA DC-007) has its further pictures there rightly, and says so.
SEAM = re.compile(rb"(?:\xff\xd9|IEND\xaeB`\x82)(?:\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP|GIF8)", re.DOTALL)
MULTI_PICTURE = b"MPF\0"

# Gives the bytes of a name within the limits; calls its last argument before they become many.
Reader = Callable[[str, "Limits", Callable[[], None]], bytes]


@dataclass(frozen=True, slots=True)
class Source:
    """One picture that has not been read yet, and its name as the user gave it.

    name: bytes of a file name that are no UTF-8 are decoded with surrogateescape. reader: gives the bytes of a name.
    secret: the name that the reader gets instead, of a URL with a password in it.
    """

    name: str
    reader: Reader
    secret: str | None = field(default=None, repr=False)

    def read(self, limits: Limits, large: Callable[[], None] = lambda: None) -> bytes:
        """Return the bytes of the picture file; raise InputError (FetchError for a URL) if there are none in limits.

        large: called before more than gathering.LARGE bytes are read; it may wait.
        """
        return self.reader(self.secret or self.name, limits, large)


def single(name: str) -> Source:
    """Return the source that a name stands for: a file, a URL, or - for stdin. Folders and globs are not expanded."""
    return Source(name, read_stdin) if name == "-" else file_or_url(name)


def file_or_url(name: str) -> Source:
    """Return the source of a URL, if the name is one, else of a file; also of a file that is named "-".

    A URL's source is named without its password, and without what a query keeps secret.
    """
    if URL.match(name):
        shown = shortened(without_secrets(name))
        return Source(shown, read_url, None if shown == name else name)
    if DATA_URL.match(name):
        hint = "decode its base64 and pipe the picture in, as -"
        return failing(shortened(name, 100), InputError("data: URLs are not read", hint=hint))
    return Source(name, read_file)


def failing(name: str, error: FacecliError) -> Source:
    """Return a source whose `read` raises this error: a failure among many pictures must not end the others."""

    def fail(_name: str, _limits: Limits, _large: Callable[[], None]) -> bytes:
        raise error

    return Source(name, fail)


def read_url(name: str, limits: Limits, large: Callable[[], None]) -> bytes:
    """Return the bytes that an http or https URL leads to. Raises FetchError."""
    from facecli.pictures.fetching import fetch

    return fetch(name, limits, large)


def read_stdin(name: str, limits: Limits, large: Callable[[], None]) -> bytes:
    """Return all bytes of stdin. Raises InputError, also for two pictures one behind the other."""
    try:
        content = _bounded(open_stdin(), name, limits, large)
    except (OSError, ValueError) as error:  # ValueError: it was closed
        raise InputError(f"can not read stdin: {reason(error)}", hint="check what it is") from error
    if SEAM.search(content) and MULTI_PICTURE not in content:
        raise InputError("stdin has several pictures, of which one is read", hint="pipe one, or give names of files")
    return content


def read_file(name: str, limits: Limits, large: Callable[[], None]) -> bytes:
    """Return the bytes of a file, FIFO or device. Raises InputError."""
    try:
        with open(name, "rb", buffering=0) as handle:  # noqa: PTH123 # Path("") would be "."
            status = os.fstat(handle.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size > limits.max_bytes:
                raise too_large(name, limits)
            return _bounded(handle, name, limits, large)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        hint = "check the name" if isinstance(error, FileNotFoundError) else "check what it is and its permissions"
        raise InputError(f"can not read {name}: {reason(error)}", hint=hint) from error


def open_stdin() -> BufferedIOBase:
    """Return stdin as a stream of bytes. Raises InputError if it is closed."""
    if sys.stdin is None:
        raise InputError("stdin is closed", hint="name a file instead of -")
    return cast("BufferedIOBase", sys.stdin.buffer)  # typed as BinaryIO, which has no read1


def too_large(name: str, limits: Limits) -> InputError:
    """Return the error for a picture file of more than limits.max_bytes bytes."""
    message = f"{name} is too large: more than {limits.max_bytes} bytes"
    return InputError(message, hint="raise {max_bytes} if you trust it", about="max_bytes")


def reason(error: OSError | ValueError) -> str:
    """Return why the system refused a file, as the end of a sentence: "no such file or directory"."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return text[:1].lower() + text[1:]


def _bounded(handle: RawIOBase | BufferedIOBase, name: str, limits: Limits, large: Callable[[], None]) -> bytes:
    """Return all bytes of a stream; raise InputError as soon as there are more than limits.max_bytes."""
    content = gathered(iter(lambda: handle.read(BLOCK), b""), limits.max_bytes, large)
    if len(content) > limits.max_bytes:
        raise too_large(name, limits)
    return content
