"""The standard streams: usable however they were handed over, and stdout kept for data alone."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any


class ReaderGone(BrokenPipeError):  # noqa: N818 # no error: it is how `| head` ends
    """Whoever read stdout has seen enough."""


class _Data(io.FileIO):
    """Stdout's bytes; its broken pipe is told apart from that of a socket or of a plugin's child."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError as error:
            raise ReaderGone(*error.args) from error


class _Complaints(io.FileIO):
    """Stderr's bytes: what nobody can take (a full disk, a closed pipe) is dropped, and the work goes on."""

    def write(self, data: Any, /) -> int:
        with contextlib.suppress(OSError):
            return super().write(data)
        return len(data)


class DataStream(io.TextIOWrapper):
    """Stdout on a file descriptor of its own, so that descriptor 1 can be lent to what others print."""


def mend() -> None:
    """Set the standard streams up: none is missing, complaining never raises, stdout has its own descriptor."""
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
        io.BufferedWriter(_Complaints(2, "w", closefd=False)),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
    data = _Data(os.dup(1), "w")
    sys.stdout = DataStream(
        io.BufferedWriter(data), encoding="utf-8", errors="surrogateescape", line_buffering=data.isatty()
    )
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc] # Final, for who finds them replaced


@contextlib.contextmanager
def kept_for_data(stream: Any) -> Iterator[None]:
    """Send what is printed, by Python or by native code, to stderr while `stream` (stdout) is written."""
    own = isinstance(stream, DataStream)  # elsewhere, as in a test's capture, descriptor 1 is not ours to change
    if own:
        os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if own:
            os.dup2(stream.fileno(), 1)


def clean(text: str) -> str:
    """A text as one line without terminal escapes, whatever a library, a plugin or a file name put into it."""
    shown = "".join(c if c.isprintable() or "\udc80" <= c <= "\udcff" else " " if c.isspace() else "?" for c in text)
    return " ".join(shown.split())


def complain(text: str) -> None:
    """One line on stderr."""
    sys.stderr.buffer.write(f"facecli: {clean(text)}\n".encode("utf-8", "surrogateescape"))
    sys.stderr.flush()
