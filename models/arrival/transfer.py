"""One file over HTTP: resumed where it was cut, tried again after growing pauses, never much larger than stated.

requests follows redirects and reads proxies and certificates from the environment. pooch, which builds on requests,
does not fit: its downloader begins every file anew and hides the status that shows whether a server accepted a Range.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from facecli.models.arrival.partial import Partial, writing_to
from facecli.version import __version__

if TYPE_CHECKING:
    from requests import Response, Session

Progress = Callable[[str, int, int | None], None]  # (file name, bytes so far, bytes in all or None if not known)

PAUSES = (0.3, 1.0, 3.0)  # seconds before the second, third and fourth try in a row that brought nothing
LONGEST_PAUSE = 30.0  # seconds; a server's Retry-After may ask for more
MOST_CONNECTIONS = 100  # per file, even if each of them brings a few bytes
TIMEOUT = (10.0, 30.0)  # seconds to connect, seconds without a byte
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
    import requests

    transfer = _Transfer(url, file, partial, progress)
    with requests.Session() as session:
        session.headers.update({"User-Agent": f"facecli/{__version__}", "Accept-Encoding": "identity"})
        futile = 0  # tries in a row that brought nothing
        for _ in range(MOST_CONNECTIONS):
            before = partial.length
            try:
                return transfer.attempt(session)
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

    def attempt(self, session: Session) -> None:
        """Make one connection, and go on where the last one was cut. Raises TransferError, OutputError."""
        import requests

        offset, validator = self.partial.length, self.partial.validator(self.url)
        if offset and not (self.file.pinned or validator):
            self.partial.discard()
            offset = 0
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and validator:
            headers["If-Range"] = validator
        try:
            with session.get(self.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                self._receive(response, offset)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError) as error:
            raise TransferError(_innermost_reason(error)) from error
        except requests.RequestException as error:
            raise TransferError(_innermost_reason(error), passing=True) from error

    def _receive(self, response: Response, offset: int) -> None:
        """Add the body to the file. offset: the number of bytes that were on the disk before."""
        self._check_status(response)
        start, total = _extent(response)
        if start not in (0, offset):
            self.partial.discard()
            raise TransferError("it does not go on where it was cut", passing=True)
        if (total or 0) > self.file.limit:
            raise self.file.too_large()
        if start == 0:
            self.partial.note(self.url, response.headers)
        done = self._save(response, start, total or self.file.size)
        if done > self.file.limit:
            self.partial.discard()
            raise self.file.too_large()
        if total is not None and done < total:
            raise TransferError(f"the connection broke after {done} of {total} bytes", passing=True)

    def _check_status(self, response: Response) -> None:
        """Raise TransferError for an answer that is neither the file nor the rest of it."""
        if response.status_code == 416:  # the bytes on the disk are more than the file has, or of another one
            self.partial.discard()
            raise TransferError("it has nothing behind what was fetched before", passing=True)
        if response.status_code not in (200, 206):
            pause = response.headers.get("Retry-After", "")
            raise TransferError(
                f"HTTP {response.status_code} {response.reason}",
                passing=response.status_code in _PASSING_STATUSES,
                pause=float(pause) if pause.isdecimal() else None,
            )
        if not self.file.pinned and self.url.startswith("https:") and not response.url.startswith("https:"):
            raise TransferError("it leads from https to http, and no hash is known to check what comes from there")

    def _save(self, response: Response, start: int, total: int | None) -> int:
        """Write the body behind the first `start` bytes, up to just beyond the limit; return the file's length."""
        done = start
        with writing_to(self.partial.path), self.partial.path.open("ab" if start else "wb") as stream:
            for chunk in response.iter_content(CHUNK):
                stream.write(chunk)
                done += len(chunk)
                if done > self.file.limit:
                    break
                if self.progress is not None:
                    self.progress(self.file.name, done, total)
        return done


def _extent(response: Response) -> tuple[int, int | None]:
    """Return the offset at which the body begins, -1 if it is not stated, and the whole file's length if it is."""
    if response.status_code == 206:
        stated = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        if stated is None:
            return -1, None
        return int(stated[1]), None if stated[2] == "*" else int(stated[2])
    length = response.headers.get("Content-Length", "")
    packed = response.headers.get("Content-Encoding", "identity") != "identity"
    return 0, int(length) if length.isdecimal() and not packed else None


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(CHUNK)
    except OSError as error:
        raise TransferError(error.strerror or str(error)) from error


def _innermost_reason(error: BaseException) -> str:
    """Return in one line why a request failed: requests wraps errors of urllib3, which wrap those of the system."""
    text = str(error)
    while error.__context__ is not None or error.__cause__ is not None:
        inner = error.__cause__ or error.__context__
        assert inner is not None
        error = inner
        text = (error.strerror if isinstance(error, OSError) else None) or str(error) or text
    return " ".join(text.split()) or type(error).__name__
