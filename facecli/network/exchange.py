"""One request over http or https and its answer: redirects followed within the web, bodies in pieces, a deadline.

A server may be hostile. The bodies of its redirects are never read, it can not lead anywhere but to the web, and when
the time is up the connection is shut, whichever byte it waits for. requests brings proxies, certificates, .netrc and
the texts of HTTP; its own redirects read whatever a server sends with them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from requests import Response, Session
from requests.utils import get_environ_proxies, select_proxy

from facecli.network.failures import NetworkError, failure
from facecli.network.watch import Watch
from facecli.redaction import shortened, without_secrets
from facecli.version import __version__

BLOCK = 2**16  # bytes that are read at once
MOST_REDIRECTS = 10
CONNECTING = 10.0  # seconds that one address of a host may take to answer at all
_REDIRECTS = (301, 302, 303, 307, 308)
# For all who speak TLS; requests itself knows only the first two.
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Answer:
    """An answer whose body has not been read. status: of HTTP. url: the last one that a redirect led to."""

    def __init__(self, response: Response, watch: Watch, proxy: str | None) -> None:
        self._response, self._watch, self._proxy = response, watch, proxy
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.url: str = response.url

    @property
    def reason(self) -> str:
        """The status as people read it: "HTTP 404 Not Found"."""
        if self.status == 407 and self._proxy:
            return f"the proxy {without_secrets(self._proxy)} wants a name and a password (HTTP 407)"
        return f"HTTP {self.status} {shortened(self._response.reason or '', 100)}".rstrip()

    @property
    def length(self) -> int | None:
        """The bytes that the body has, as the server says; None if it does not."""
        stated = self.headers.get("Content-Length", "")
        packed = self.headers.get("Content-Encoding", "identity") != "identity"
        return int(stated) if stated.isdecimal() and len(stated) < 20 and not packed else None

    def blocks(self) -> Iterator[bytes]:
        """Yield the body as it arrives, in pieces of at most BLOCK bytes. Raises NetworkError.

        A body that is shorter than `length` just ends.
        """
        raw = self._response.raw
        raw.enforce_content_length = False
        read = getattr(raw, "read1", raw.read)  # urllib3 1 has none, and waits for whole blocks
        while True:
            with _translated(self._watch, self._proxy):
                block: bytes = read(BLOCK, decode_content=False)
            if not block:
                break
            yield block
        self._watch.check()


@contextmanager
def exchange(
    url: str, headers: Mapping[str, str] | None = None, *, seconds: float, idle: float, whole: bool = True
) -> Iterator[Answer]:
    """Ask for a URL; its user name and password, if it has any, are sent as such. Give the answer.

    seconds: until the answer has begun or, if `whole`, until its body has been read. idle: seconds without a byte.
    Raises NetworkError.
    """
    with Watch(seconds) as watch, _session(watch) as session:
        response, proxy = _followed(session, watch, url, dict(headers or {}), idle)
        if not whole:
            watch.stop()
        try:
            yield Answer(response, watch, proxy)
        finally:
            response.close()


def _followed(
    session: Session, watch: Watch, url: str, headers: dict[str, str], idle: float
) -> tuple[Response, str | None]:
    """Return the response at the end of all redirects, and the proxy that it came through."""
    target: str = url
    account: Any = None  # requests' types know texts alone, which it would send as Latin-1
    origin: tuple[str, bool, str] | None = None
    for _ in range(MOST_REDIRECTS + 1):
        target, own = _without_account(target)
        # An account is for the place that was named with it.
        account = own or (account if _origin(target) == origin else None)
        origin = _origin(target)
        proxy = _proxy(target)
        with _translated(watch, proxy):
            response = session.get(
                target, headers=headers, auth=account, stream=True, timeout=(min(CONNECTING, idle), idle)
            )
        location = response.headers.get("Location")
        if response.status_code not in _REDIRECTS or not location:
            return response, proxy
        response.close()
        target = urljoin(target, _text(location))
        if _origin(target)[:2] not in (("http", True), ("https", True)):
            raise NetworkError(f"it leads to {without_secrets(shortened(target, 200))}, which is not allowed")
    raise NetworkError(f"it leads on and on, {MOST_REDIRECTS} times and more")


def _without_account(url: str) -> tuple[str, tuple[bytes, bytes] | None]:
    """Return a URL without user name and password, and these."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise NetworkError(str(error)) from error
    account, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    name, _, password = account.partition(":")
    pair = unquote(name).encode(), unquote(password).encode()
    return urlunsplit((parts.scheme, host, parts.path, parts.query, "")), pair


def _origin(url: str) -> tuple[str, bool, str]:
    """Return the scheme of a URL, whether it has a host, and its host with the port."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise NetworkError(str(error)) from error
    host = parts.netloc.rpartition("@")[2]
    return parts.scheme, bool(host), host


def _text(location: str) -> str:
    """Return a Location header as text: http.client reads headers as Latin-1, servers write UTF-8."""
    return location.encode("latin-1", "replace").decode("utf-8", "replace")


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for a URL, None if it names none."""
    try:
        found: str | None = select_proxy(url, get_environ_proxies(url))
    except ValueError as error:
        raise NetworkError(str(error)) from error
    return found


class _PatientSession(Session):
    def get_redirect_target(self, resp: Response) -> None:  # as requests calls it
        """Return None: requests would read the whole body of a redirect, even if it is not to follow it."""


@contextmanager
def _session(watch: Watch) -> Iterator[Session]:
    """Give a session that reads no redirect's body, trusts what the environment names, and can be shut by `watch`."""
    with _PatientSession() as session:
        session.headers.update({"User-Agent": f"facecli/{__version__}", "Accept-Encoding": "identity"})
        bundle = next((os.environ[name] for name in _CERTIFICATES if os.environ.get(name)), None)
        session.verify = bundle or True
        for scheme in ("http://", "https://"):
            session.mount(scheme, watch.adapter())
        yield session


@contextmanager
def _translated(watch: Watch, proxy: str | None) -> Iterator[None]:
    """Turn what requests and urllib3 raise into NetworkError; a connection that was shut in time has one reason."""
    try:
        yield
    except Exception as error:
        watch.check()
        raise failure(error, proxy) from error
