"""Pictures from http and https, within limits on time and bytes.

A URL comes from a user or from a list of strangers: redirects can not leave http, a slow server can not hold the
program, and an endless answer can not fill the memory.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from facecli.errors import FetchError
from facecli.version import __version__

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector

    from facecli.types import Limits

_BLOCK = 2**16  # bytes that are read at once
# Content types that say nothing: the bytes decide.
_UNTYPED = ("application/octet-stream", "binary/octet-stream", "")


def fetch(url: str, limits: Limits) -> bytes:
    """Return the bytes that a URL answers with.

    Raises FetchError for another scheme than http and https, and for a server that does not send a picture of at most
    limits.max_bytes bytes within limits.timeout seconds.
    """
    from concurrent.futures import Future

    if not url.lower().startswith(("http://", "https://")):
        raise FetchError(f"can not fetch {url}: only http and https are read", hint="download it first")
    outcome: Future[bytes] = Future()
    deadline = time.monotonic() + limits.timeout

    def work() -> None:
        try:
            outcome.set_result(_fetch(url, limits, deadline))
        except BaseException as error:  # noqa: BLE001 # the thread that waits raises it
            outcome.set_exception(error)

    # A socket's time-out starts again with every byte, so a slow server could hold us for ever. A thread can be left
    # behind.
    threading.Thread(target=work, name="fetch", daemon=True).start()
    try:
        return outcome.result(limits.timeout)
    except TimeoutError as error:
        message = f"can not fetch {url}: no picture within {limits.timeout:g} s"
        raise FetchError(message, hint="raise {timeout} or try again", about="timeout") from error


def _fetch(url: str, limits: Limits, deadline: float) -> bytes:
    """Return the bytes that a URL answers with. deadline: time.monotonic() at which to give up with TimeoutError."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request

    try:
        request = Request(_ascii(url), headers={"User-Agent": f"facecli/{__version__}"})  # noqa: S310 # scheme checked
        with _opener().open(request, timeout=limits.timeout) as response:
            return _body(response, url, limits, deadline)
    except HTTPError as error:
        with error:
            raise _failed(url, f"HTTP {error.code} {error.reason}") from error
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise error.reason from error
        raise _failed(url, error.reason) from error
    except TimeoutError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        raise _failed(url, error) from error


def _body(response: HTTPResponse, url: str, limits: Limits, deadline: float) -> bytes:
    """Return the body of an answer; raise FetchError for another content type, too many bytes or too few."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not media_type.startswith("image/") and media_type not in _UNTYPED:
        hint = "give the address of the picture itself"
        raise FetchError(f"can not use {url}: it is {media_type}, not a picture", hint=hint)
    expected = response.length or 0
    chunks, size = [], 0
    while size <= limits.max_bytes >= expected and (chunk := response.read1(_BLOCK)):
        chunks.append(chunk)
        size += len(chunk)
        if time.monotonic() > deadline:
            raise TimeoutError
    if max(size, expected) > limits.max_bytes:
        message = f"can not use {url}: it is larger than {limits.max_bytes} bytes"
        raise FetchError(message, hint="raise {max_bytes} if you trust it", about="max_bytes")
    if size < expected:
        raise _failed(url, f"the connection broke after {size} of {expected} bytes")
    return b"".join(chunks)


def _opener() -> OpenerDirector:
    """Return an opener for http and https alone: a redirect to a file or to ftp fails."""
    from urllib import request

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.UnknownHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPRedirectHandler,
        request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _ascii(url: str) -> str:
    """Return a URL in ASCII: other characters are escaped, existing escapes stay, the host is in IDNA."""
    parts = urlsplit(url)
    path, query = (quote(part, safe="/%:=&?~+!$,;'@()*[]") for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, parts.netloc.encode("idna").decode(), path, query, ""))


def _failed(url: str, reason: object) -> FetchError:
    """Return the error for a URL that can not be fetched. reason: an exception, or a text."""
    text = (reason.strerror if isinstance(reason, OSError) else None) or str(reason) or type(reason).__name__
    text = " ".join(text.split())  # some of urllib's have line breaks
    return FetchError(f"can not fetch {url}: {text}", hint="check the address and the network")
