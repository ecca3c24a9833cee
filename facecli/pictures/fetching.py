"""Pictures from http and https, within limits on time and bytes.

A URL comes from a user or from a list of strangers: a slow server can not hold the program, and an endless answer can
not fill the memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from facecli.errors import FetchError
from facecli.network.exchange import Answer, exchange
from facecli.network.failures import ExpiredError, NetworkError
from facecli.pictures.gathering import gathered
from facecli.redaction import shortened, without_secrets

if TYPE_CHECKING:
    from facecli.types import Limits

CHECK, PICTURE = "check the address and the network", "give the address of the picture itself"  # hints
# Content types that say nothing: the bytes decide.
_UNTYPED = ("application/octet-stream", "binary/octet-stream", "")


def fetch(url: str, limits: Limits, large: Callable[[], None] = lambda: None) -> bytes:
    """Return the bytes that a URL answers with. A user name and a password in it are sent, and shown to nobody.

    large: called before more than gathering.LARGE bytes are read.

    Raises FetchError for another scheme than http and https, and for a server that does not send a picture of at most
    limits.max_bytes bytes within limits.timeout seconds.
    """
    shown = without_secrets(url)
    if not url.lower().startswith(("http://", "https://")):
        raise _other_scheme(shown)
    begun = time.monotonic()
    exchanged = exchange(url, seconds=limits.timeout, idle=limits.timeout)
    try:
        answer = _entered(exchanged, limits.timeout)
        try:
            return _body(answer, shown, limits, large)
        finally:
            exchanged.__exit__(None, None, None)
    except (TimeoutError, ExpiredError) as error:
        raise _too_slow(shown, limits) from error
    except NetworkError as error:
        if time.monotonic() - begun >= limits.timeout:  # a socket that waited for as long
            raise _too_slow(shown, limits) from error
        raise FetchError(f"can not fetch {shown}: {error}", hint=error.hint or CHECK) from error


def _entered(exchanged: AbstractContextManager[Answer], seconds: float) -> Answer:
    """Return the answer of an exchange, which is to be exited later. Raises TimeoutError, NetworkError.

    The system's look-up of a name knows no deadline, and a thread can be left behind in it.
    """
    outcome: Future[Answer] = Future()

    def enter() -> None:
        try:
            answer = exchanged.__enter__()
        except BaseException as error:  # noqa: BLE001 # the thread that waits raises it
            if outcome.set_running_or_notify_cancel():
                outcome.set_exception(error)
            return
        if outcome.set_running_or_notify_cancel():
            outcome.set_result(answer)
        else:  # nobody waits any more
            exchanged.__exit__(None, None, None)

    threading.Thread(target=enter, name="fetch", daemon=True).start()
    try:
        return outcome.result(seconds)
    except BaseException:
        if not outcome.cancel() and outcome.exception() is None:  # it came at the last moment
            exchanged.__exit__(None, None, None)
        raise


def _body(answer: Answer, shown: str, limits: Limits, large: Callable[[], None]) -> bytes:
    """Return the body of an answer; raise FetchError for another content type, too many bytes or too few."""
    if not 200 <= answer.status < 300:
        raise FetchError(f"can not fetch {shown}: {answer.reason}", hint=CHECK)
    media_type = shortened(answer.headers.get("Content-Type", "").partition(";")[0].strip().lower(), 100)
    if not media_type.startswith("image/") and media_type not in _UNTYPED:
        stream = media_type.startswith(("multipart/", "video/"))
        hint = "`facecli track URL --gallery FILE` follows a stream" if stream else PICTURE
        raise FetchError(f"can not use {shown}: it is {media_type}, not a picture", hint=hint)
    expected = answer.length or 0
    blocks = answer.blocks() if expected <= limits.max_bytes else ()
    content = gathered(blocks, limits.max_bytes, large)
    if max(len(content), expected) > limits.max_bytes:
        message = f"can not use {shown}: it is larger than {limits.max_bytes} bytes"
        raise FetchError(message, hint="raise {max_bytes} if you trust it", about="max_bytes")
    if len(content) < expected:
        message = f"can not fetch {shown}: the connection broke after {len(content)} of {expected} bytes"
        raise FetchError(message, hint=CHECK)
    return content


def _too_slow(shown: str, limits: Limits) -> FetchError:
    message = f"can not fetch {shown}: no picture within {limits.timeout:g} s"
    return FetchError(message, hint="raise {timeout} or try again", about="timeout")


def _other_scheme(shown: str) -> FetchError:
    """Return the error for a URL that leads to no server of the web."""
    scheme = shown.partition(":")[0].lower()
    hint = "write the path alone" if scheme == "file" else "download it first"
    return FetchError(f"can not fetch {shown}: only http and https are read", hint=hint)
