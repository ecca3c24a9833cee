"""One file over HTTP: resumed where it was cut, tried again after growing pauses, never much larger than stated.

A server that is slower than any network in use is left for the next one: others may be waiting for the file.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from facecli.models.arrival.partial import Partial, writing_to
from facecli.network.exchange import Answer, exchange
from facecli.network.failures import NetworkError

Progress = Callable[[str, int, int | None], None]  # (file name, bytes so far, bytes in all or None if not known)

PAUSES = (0.3, 1.0, 3.0)  # seconds before the second, third and fourth try in a row that brought nothing
LONGEST_PAUSE = 10.0  # seconds; a server's Retry-After may ask for more
MOST_CONNECTIONS = 100  # per file, even if each of them brings a few bytes
ANSWERING, IDLE = 60.0, 30.0  # seconds until the answer begins, with all redirects; seconds without a byte
WINDOW, SLOWEST = 20.0, 1000  # seconds; bytes that must come in each of them, on average over the window
CHUNK = 2**16  # bytes
SLACK = 2**20  # bytes read beyond the stated size: enough to hash a file that its publisher has changed a little
LARGEST = 4 * 2**30  # bytes of a file whose size is not stated
_PASSING_STATUSES = {408, 425, 429, 500, 502, 503, 504}


class TransferError(Exception):
    """A URL did not give the file.

    passing: True if another try may help. pause: seconds that the server asks to wait before it, None if it does not.
    """

    def __init__(self, reason: str, *, passing: bool = False, pause: float | None = None) -> None:
        super().__init__(reason)
        self.passing, self.pause = passing, pause


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be downloaded.

    name: for progress. size: bytes, None if not stated. pinned: its sha256 is known, so that the bytes of one server
    may be continued by another.
    """

    name: str
    size: int | None
    pinned: bool

    @property
    def limit(self) -> int:
        """The number of bytes beyond which nothing is read."""
        return LARGEST if self.size is None else self.size + SLACK

    def too_large(self) -> TransferError:
        """Return the error for more bytes than the limit."""
        return TransferError(f"it is larger than {self.size or LARGEST} bytes")


def download(url: str, file: Download, partial: Partial, progress: Progress | None = None) -> None:
    """Make `partial` the whole file. Raises TransferError, with the bytes kept, and OutputError if the disk refuses."""
    transfer = _Transfer(url, file, partial, progress)
    futile = 0  # tries in a row that brought nothing
    for _ in range(MOST_CONNECTIONS):
        before = partial.length
        try:
            return transfer.attempt()
        except TransferError as error:
            futile = 1 if partial.length > before else futile + 1
            if not error.passing or futile > len(PAUSES):
                raise
            time.sleep(PAUSES[futile - 1] if error.pause is None else min(error.pause, LONGEST_PAUSE))
    raise TransferError(f"cut {MOST_CONNECTIONS} times")


def copy(source: Path, partial: Partial, name: str, progress: Progress | None = None) -> None:
    """Make `partial` a copy of a local file.

    Raises TransferError if `source` can not be read, with what `partial` had kept, and OutputError if the disk refuses.
    """
    try:
        stream = source.open("rb")
        total = source.stat().st_size
    except OSError as error:
        raise TransferError(error.strerror or str(error)) from error
    partial.discard()
    with stream, writing_to(partial.path), partial.path.open("wb") as target:
        done = 0
        while chunk := _read(stream):
            target.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(name, done, total)


@dataclass(frozen=True, slots=True)
class _Transfer:
    """One URL, and the file that it is to fill."""

    url: str
    file: Download
    partial: Partial
    progress: Progress | None

    def attempt(self) -> None:
        """Make one connection, and go on where the last one was cut. Raises TransferError, OutputError."""
        offset, validator = self.partial.length, self.partial.validator(self.url)
        if offset and not (self.file.pinned or validator):
            self.partial.discard()
            offset = 0
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and validator:
            headers["If-Range"] = validator
        try:
            with exchange(self.url, headers, seconds=ANSWERING, idle=IDLE, whole=False) as answer:
                self._receive(answer, offset)
        except NetworkError as error:
            reason = f"{error} ({error.hint})" if error.hint else str(error)
            raise TransferError(reason, passing=error.passing) from error

    def _receive(self, answer: Answer, offset: int) -> None:
        """Add the body to the file. offset: the number of bytes that were on the disk before."""
        self._check_status(answer)
        start, total = _extent(answer)
        if start not in (0, offset):
            self.partial.discard()
            raise TransferError("it does not go on where it was cut", passing=True)
        if (total or 0) > self.file.limit:
            raise self.file.too_large()
        if start == 0:
            self.partial.note(self.url, answer.headers)
        done = self._save(answer, start, total or self.file.size)
        if done > self.file.limit:
            self.partial.discard()
            raise self.file.too_large()
        if total is not None and done < total:
            raise TransferError(f"the connection broke after {done} of {total} bytes", passing=True)

    def _check_status(self, answer: Answer) -> None:
        """Raise TransferError for an answer that is neither the file nor the rest of it."""
        if answer.status == 416:  # the bytes on the disk are more than the file has, or of another one
            self.partial.discard()
            raise TransferError("it has nothing behind what was fetched before", passing=True)
        if answer.status not in (200, 206):
            pause = answer.headers.get("Retry-After", "")
            raise TransferError(
                answer.reason,
                passing=answer.status in _PASSING_STATUSES,
                pause=float(pause) if pause.isdecimal() else None,
            )
        if not self.file.pinned and self.url.startswith("https:") and not answer.url.startswith("https:"):
            raise TransferError("it leads from https to http, and no hash is known to check what comes from there")

    def _save(self, answer: Answer, start: int, total: int | None) -> int:
        """Write the body behind the first `start` bytes, up to just beyond the limit; return the file's length.

        Raises TransferError for a server that is too slow; what it sent is kept.
        """
        done, begun, before = start, time.monotonic(), start
        with writing_to(self.partial.path), self.partial.path.open("ab" if start else "wb") as stream:
            for chunk in answer.blocks():
                stream.write(chunk)
                done += len(chunk)
                if done > self.file.limit:
                    break
                if self.progress is not None:
                    self.progress(self.file.name, done, total)
                if (now := time.monotonic()) > begun + WINDOW:
                    if done - before < SLOWEST * WINDOW:
                        raise TransferError(f"it sent {done - before} bytes in {now - begun:.0f} s")
                    begun, before = now, done
        return done


def _extent(answer: Answer) -> tuple[int, int | None]:
    """Return the offset at which the body begins, -1 if it is not stated, and the whole file's length if it is."""
    if answer.status == 206:
        stated = re.fullmatch(r"bytes (\d{1,19})-\d+/(\d{1,19}|\*)", answer.headers.get("Content-Range", "").strip())
        if stated is None:
            return -1, None
        return int(stated[1]), None if stated[2] == "*" else int(stated[2])
    return 0, answer.length


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(CHUNK)
    except OSError as error:
        raise TransferError(error.strerror or str(error)) from error
