"""Standard streams that a program can rely on, however the process was started, and a stdout with nothing but data.

Standard streams may be closed, full or read by nobody. Libraries and plugins print to stdout, some from native code,
and would damage the JSON that a reader expects there.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any


class ReaderGone(BrokenPipeError):  # noqa: N818 # no error: it is how `| head` ends
    """The process that read stdout has closed its end of the pipe."""


class _StdoutFile(io.FileIO):
    """The file of stdout; raises ReaderGone for a broken pipe, which a socket or a plugin's child may have, too."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError as error:
            raise ReaderGone(*error.args) from error


class _StderrFile(io.FileIO):
    """The file of stderr; drops what it can not write (a full disk, a closed pipe), so that the work goes on."""

    def write(self, data: Any, /) -> int:
        with contextlib.suppress(OSError):
            return super().write(data)
        return len(data)


class DataStream(io.TextIOWrapper):
    """Stdout on a duplicate of descriptor 1, so that descriptor 1 itself can lead to stderr for a while."""


def prepare_standard_streams() -> None:
    """Replace sys.stdin, sys.stdout and sys.stderr by streams that exist in any case.

    A closed stream is opened on the null device. Writing to stderr never raises. stdout becomes a DataStream.
    """
    # In this order: the system gives the lowest number that is free. A closed stdout must go on refusing what is
    # written, hence read-only; were 1 left free, the next picture opened would be written into.
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 # it stays open to the end
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_StderrFile(2, "w", closefd=False)),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
    data = _StdoutFile(os.dup(1), "w")
    sys.stdout = DataStream(
        io.BufferedWriter(data), encoding="utf-8", errors="surrogateescape", line_buffering=data.isatty()
    )
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc] # typeshed calls them Final


@contextlib.contextmanager
def stray_output_on_stderr(stream: Any) -> Iterator[None]:
    """Redirect to stderr what Python or native code prints to stdout; what is written to `stream` itself stays there.

    stream: stdout. Only for a DataStream native code is redirected: elsewhere, as in a test's capture, descriptor 1
    belongs to somebody else.
    """
    redirects_descriptor = isinstance(stream, DataStream)
    if redirects_descriptor:
        os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if redirects_descriptor:
            os.dup2(stream.fileno(), 1)


def one_line(text: str) -> str:
    """Return a text from a library, a plugin or a file name as one line without terminal escapes.

    White space becomes single blanks, other unprintable characters become "?". Bytes of file names that are no UTF-8
    (U+DC80 to U+DCFF, as surrogateescape decodes them) stay.
    """
    safe = "".join(c if c.isprintable() or "\udc80" <= c <= "\udcff" else " " if c.isspace() else "?" for c in text)
    return " ".join(safe.split())


def print_error(text: str) -> None:
    """Print one line, "facecli: TEXT", on stderr."""
    sys.stderr.buffer.write(f"facecli: {one_line(text)}\n".encode("utf-8", "surrogateescape"))
    sys.stderr.flush()
