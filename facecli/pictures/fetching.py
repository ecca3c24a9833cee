"""Pictures from http and https, within limits on time and bytes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from facecli import __version__
from facecli.errors import FetchError

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector

    from facecli.types import Limits

_BLOCK = 2**16
_UNTYPED = ("application/octet-stream", "binary/octet-stream", "")


def fetch(url: str, limits: Limits) -> bytes:
    """The body of a URL; FetchError if it does not answer with a picture within limits.timeout and limits.max_bytes."""
    from concurrent.futures import Future

    if not url.lower().startswith(("http://", "https://")):
        raise FetchError(f"can not fetch {url}: only http and https are read", hint="download it first")
    outcome: Future[bytes] = Future()
    deadline = time.monotonic() + limits.timeout

    def work() -> None:
        try:
            outcome.set_result(_fetch(url, limits, deadline))
        except BaseException as error:  # noqa: BLE001 # it is raised again where somebody waits
            outcome.set_exception(error)

    # A socket's time-out starts again with every byte, so a slow server could hold us for ever; a thread can be left.
    threading.Thread(target=work, name="fetch", daemon=True).start()
    try:
        return outcome.result(limits.timeout)
    except TimeoutError as error:
        message = f"can not fetch {url}: no picture within {limits.timeout:g} s"
        raise FetchError(message, hint="raise {timeout} or try again", about="timeout") from error


def _fetch(url: str, limits: Limits, deadline: float) -> bytes:
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
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind not in _UNTYPED:
        hint = "give the address of the picture itself"
        raise FetchError(f"can not use {url}: it is {kind}, not a picture", hint=hint)
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
    """An opener that knows http and https alone, so that a redirect can not lead to a file or to ftp."""
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
    """The URL as it goes over the wire: odd characters escaped, what is escaped already left alone."""
    parts = urlsplit(url)
    path, query = (quote(part, safe="/%:=&?~+!$,;'@()*[]") for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, parts.netloc.encode("idna").decode(), path, query, ""))


def _failed(url: str, reason: object) -> FetchError:
    words = (reason.strerror if isinstance(reason, OSError) else None) or str(reason) or type(reason).__name__
    words = " ".join(words.split())  # urllib has some with line breaks
    return FetchError(f"can not fetch {url}: {words}", hint="check the address and the network")
