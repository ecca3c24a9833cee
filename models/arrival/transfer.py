"""One file over HTTP: resumed where it was cut, tried again after growing pauses, and never much larger than stated.

requests does the talking (redirects, proxies and certificates by the environment). pooch, which builds on it, was left:
its downloader begins every file anew, and does not show the status that tells whether a server took a Range up.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from facecli.errors import OutputError
from facecli.version import __version__

if TYPE_CHECKING:
    from requests import Response, Session

Progress = Callable[[str, int, int | None], None]  # (file name, bytes so far, bytes in all if known)

PAUSES = (0.3, 1.0, 3.0)  # seconds before the second, third and fourth try in a row that brought nothing
LONGEST_PAUSE = 30.0  # of those that a server may ask for
MOST_CONNECTIONS = 100  # however little each of them brought
TIMEOUT = (10.0, 30.0)  # seconds to connect, seconds without a byte
CHUNK = 2**16
SLACK = 2**20  # bytes read beyond the stated size, so that the hash of a file that has changed can be told
LARGEST = 4 * 2**30  # of a file whose size is not stated
_PASSING = {408, 425, 429, 500, 502, 503, 504}


class TransferError(Exception):
    """Why a URL did not give the file; passing: another try may help, after `pause` seconds if the server said so."""

    def __init__(self, reason: str, *, passing: bool = False, pause: float | None = None) -> None:
        super().__init__(reason)
        self.passing, self.pause = passing, pause


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is fetched. pinned: its content is known by a hash, so that any server may go on where another was cut."""

    name: str
    size: int | None
    pinned: bool


class Partial:
    """A file that grows, and beside it what its server called that version of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._notes = path.with_suffix(".json")

    @property
    def length(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def validator(self, url: str) -> str | None:
        """What If-Range takes: the version of `url` that the bytes are of, if they are of it."""
        try:
            notes = json.loads(self._notes.read_bytes())
            return str(notes["validator"]) if notes["url"] == public(url) and notes["validator"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, url: str, headers: Any) -> None:
        """Remember which version the bytes are of."""
        tag = headers.get("ETag", "")
        known = headers.get("Last-Modified") if tag.startswith("W/") or not tag else tag  # a weak one promises nothing
        with _writing(self._notes):
            self._notes.write_text(json.dumps({"url": public(url), "validator": known}), "utf-8")

    def discard(self) -> None:
        """Begin anew."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.forget()

    def forget(self) -> None:
        """Leave the file to somebody else."""
        with suppress(OSError):
            self._notes.unlink(missing_ok=True)


def download(url: str, wanted: Wanted, partial: Partial, progress: Progress | None = None) -> None:
    """Make `partial` the whole file. Raises TransferError, with the bytes kept, or OutputError if the disk refuses."""
    import requests

    with requests.Session() as session:
        session.headers.update({"User-Agent": f"facecli/{__version__}", "Accept-Encoding": "identity"})
        futile = 0
        for _ in range(MOST_CONNECTIONS):
            before = partial.length
            try:
                return _attempt(session, url, wanted, partial, progress)
            except TransferError as error:
                futile = 1 if partial.length > before else futile + 1
                if not error.passing or futile > len(PAUSES):
                    raise
                time.sleep(PAUSES[futile - 1] if error.pause is None else min(error.pause, LONGEST_PAUSE))
    raise TransferError(f"cut {MOST_CONNECTIONS} times")


def _attempt(session: Session, url: str, wanted: Wanted, partial: Partial, progress: Progress | None) -> None:
    import requests

    offset, validator = partial.length, partial.validator(url)
    if offset and not (wanted.pinned or validator):
        partial.discard()
        offset = 0
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    if offset and validator:
        headers["If-Range"] = validator
    try:
        with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            _receive(response, url, offset, wanted, partial, progress)
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError) as error:
        raise TransferError(_words(error)) from error
    except requests.RequestException as error:
        raise TransferError(_words(error), passing=True) from error


def _receive(
    response: Response, url: str, offset: int, wanted: Wanted, partial: Partial, progress: Progress | None
) -> None:
    _check_answer(response, url, wanted, partial)
    start, total = _extent(response)
    if start not in (0, offset):
        partial.discard()
        raise TransferError("it does not go on where it was cut", passing=True)
    limit = LARGEST if wanted.size is None else wanted.size + SLACK
    if (total or 0) > limit:
        raise TransferError(_too_large(wanted))
    if start == 0:
        partial.note(url, response.headers)

    def report(done: int) -> None:
        if progress is not None:
            progress(wanted.name, done, total or wanted.size)

    done = _save(response, start, limit, partial, report)
    if done > limit:
        partial.discard()
        raise TransferError(_too_large(wanted))
    if total is not None and done < total:
        raise TransferError(f"the connection broke after {done} of {total} bytes", passing=True)


def _check_answer(response: Response, url: str, wanted: Wanted, partial: Partial) -> None:
    """Raise TransferError for an answer that is not the file or the rest of it."""
    if response.status_code == 416:  # what we have is longer than the file, or another one
        partial.discard()
        raise TransferError("it has nothing behind what was fetched before", passing=True)
    if response.status_code not in (200, 206):
        pause = response.headers.get("Retry-After", "")
        raise TransferError(
            f"HTTP {response.status_code} {response.reason}",
            passing=response.status_code in _PASSING,
            pause=float(pause) if pause.isdecimal() else None,
        )
    if not wanted.pinned and url.startswith("https:") and not response.url.startswith("https:"):
        raise TransferError("it leads from https to http, and no hash is known to check what comes from there")


def _save(response: Response, start: int, limit: int, partial: Partial, report: Callable[[int], None]) -> int:
    """Write the body behind the first `start` bytes, up to just beyond `limit`; how many bytes there are then."""
    done = start
    with _writing(partial.path), partial.path.open("ab" if start else "wb") as stream:
        for chunk in response.iter_content(CHUNK):
            stream.write(chunk)
            done += len(chunk)
            if done > limit:
                break
            report(done)
    return done


def _extent(response: Response) -> tuple[int, int | None]:
    """Where the body begins, and how long the whole file is if that is known."""
    if response.status_code == 206:
        stated = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        if stated is None:
            return -1, None
        return int(stated[1]), None if stated[2] == "*" else int(stated[2])
    length = response.headers.get("Content-Length", "")
    packed = response.headers.get("Content-Encoding", "identity") != "identity"
    return 0, int(length) if length.isdecimal() and not packed else None


def copy(source: Path, partial: Partial, name: str, progress: Progress | None = None) -> None:
    """Make `partial` a copy of a local file. Raises TransferError if that can not be read, OutputError as download."""
    try:
        stream = source.open("rb")
        total = source.stat().st_size
    except OSError as error:  # what was fetched from elsewhere stays, to go on with
        raise TransferError(error.strerror or str(error)) from error
    partial.discard()
    with stream, _writing(partial.path), partial.path.open("wb") as target:
        done = 0
        while chunk := _read(stream):
            target.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(name, done, total)


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(CHUNK)
    except OSError as error:
        raise TransferError(error.strerror or str(error)) from error


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """OutputError for what the file system refuses; requests' errors are OSErrors without a number, and pass."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OutputError(f"can not write {path}: {error.strerror or error}", hint="free some space") from error


def public(url: str) -> str:
    """A URL without the name and password that it may hold."""
    return re.sub(r"^([a-z]+://)[^/?#]*@", r"\1", url, flags=re.IGNORECASE)


def _too_large(wanted: Wanted) -> str:
    return f"it is larger than {wanted.size or LARGEST} bytes"


def _words(error: BaseException) -> str:
    """The innermost reason of an error of requests, which wraps those of urllib3, which wrap those of the system."""
    text = str(error)
    while error.__context__ is not None or error.__cause__ is not None:
        inner = error.__cause__ or error.__context__
        assert inner is not None
        error = inner
        text = (error.strerror if isinstance(error, OSError) else None) or str(error) or text
    return " ".join(text.split()) or type(error).__name__
