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
from typing import Any, TextIO

from facecli.system import native

PREFIX = b"facecli: "  # every line on stderr begins with it, so that a log tells whose it is


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


class _PrefixedFile(_StderrFile):
    """The file of stderr where each line gets the prefix that it does not have: plugins and libraries print, too."""

    _at_start = True

    def write(self, data: Any, /) -> int:
        text = bytes(data)
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            if (number or self._at_start) and not line.startswith(PREFIX):
                lines[number] = PREFIX + line
        self._at_start = text.endswith(b"\n")
        super().write(b"".join(lines))
        return len(text)


class DataStream(io.TextIOWrapper):
    """Stdout on a duplicate of descriptor 1, so that descriptor 1 itself can lead to stderr for a while."""


_terminal: TextIO | None = None


def prepare_standard_streams(*, prefixed: bool = False) -> None:
    """Replace sys.stdin, sys.stdout and sys.stderr by streams that exist in any case.

    A closed stream is opened on the null device. Writing to stderr never raises. stdout becomes a DataStream.
    prefixed: every line on stderr begins with PREFIX, also those that native code prints on descriptor 2.
    """
    global _terminal  # noqa: PLW0603 # a process has one
    # In this order: the system gives the lowest number that is free. A closed stdout must go on refusing what is
    # written, hence read-only; were 1 left free, the next picture opened would be written into.
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 # it stays open to the end
    descriptor = os.dup(2) if prefixed else 2
    _terminal = _text(_StderrFile(descriptor, "w", closefd=False))
    sys.stderr = _text(_PrefixedFile(descriptor, "w", closefd=False)) if prefixed else _terminal
    if prefixed:
        native.divert()
    data = _StdoutFile(os.dup(1), "w")
    sys.stdout = DataStream(
        io.BufferedWriter(data), encoding="utf-8", errors="surrogateescape", line_buffering=data.isatty()
    )
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore # typeshed calls them Final


def _text(file: io.FileIO) -> TextIO:
    buffer = io.BufferedWriter(file)
    return io.TextIOWrapper(buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True)


def terminal() -> TextIO:
    """Return stderr for bars and pages of help, which have no lines of ours."""
    return _terminal or sys.stderr


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
    """Print one line, "facecli: TEXT", on stderr, behind the lines of native code."""
    print_native_messages()
    _print(text)


def print_native_messages() -> None:
    """Print what native code has printed on descriptor 2 since the last time, if it was diverted."""
    for line in native.messages.take() if native.messages is not None else ():
        _print(line)


def _print(text: str) -> None:
    # The buffer's own flush: while a bar is shown, sys.stderr is rich's, whose flush does not reach it.
    buffer = sys.stderr.buffer
    buffer.write(PREFIX + f"{one_line(text)}\n".encode("utf-8", "surrogateescape"))
    buffer.flush()
