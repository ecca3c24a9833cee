"""Pictures from addresses that a client names, without the server becoming a client's way into the network behind it.

A host is resolved once, every address that it has must be public, and the connection goes to the one that was checked;
a redirect is a new address. No proxy of the environment is used, because it would resolve the host again.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from facecli.errors import FetchError
from facecli.pictures.gathering import gathered
from facecli.pictures.sources import Source
from facecli.redaction import shortened, without_secrets
from facecli.types import Limits
from facecli.version import __version__

PORTS = {"http": 80, "https": 443}
MOST_REDIRECTS = 3
BLOCK = 2**16  # bytes that are read at once
NAT64 = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48")))  # another way to write an IPv4 address
# Not public either, by IANA's registries of special addresses, which older versions of the module ipaddress do not know
# in full: site-local (RFC 3879), protocol assignments (6890), 6to4 relays (7526), documentation (9637).
SPECIAL = tuple(map(ipaddress.ip_network, ("fec0::/10", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
UNTYPED = ("application/octet-stream", "binary/octet-stream", "")
Resolve = Callable[[str, int], list[str]]  # host and port -> addresses
Connect = Callable[[tuple[str, int], float], socket.socket]  # address and seconds -> connection


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class Place:
    """The place that a URL leads to. target: path and query, as they are sent."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def server(self) -> str:
        """The host with the port, as they are compared with what is allowed."""
        return f"{self.host}:{self.port}"


class Remote:
    """Fetches pictures from the hosts that are allowed.

    allowed: "*" is every public host, NAME one of them, and NAME:PORT a server that the operator vouches for, wherever
    it is. resolve, connect: replaced in tests, which count connections.
    """

    def __init__(
        self, allowed: tuple[str, ...], resolve: Resolve = _resolve, connect: Connect = socket.create_connection
    ) -> None:
        self._allowed = frozenset(name.lower() for name in allowed)
        self._resolve, self._connect = resolve, connect

    def source(self, url: str) -> Source:
        """Return the picture at an address; reading it raises FetchError where the server does not go there."""
        return Source(shortened(without_secrets(url)), lambda _name, limits, large: self.fetch(url, limits, large))

    def fetch(self, url: str, limits: Limits, large: Callable[[], None] = lambda: None) -> bytes:
        """Return the bytes of the picture at an address. Raises FetchError."""
        end = time.monotonic() + limits.timeout
        for _ in range(MOST_REDIRECTS + 1):
            place = _place(url)
            with self._asked(place, max(0.1, end - time.monotonic())) as answer:
                location = answer.getheader("Location")
                if answer.status in (301, 302, 303, 307, 308) and location:
                    url = urljoin(url, location)
                    continue
                return _body(answer, place, limits, large)
        raise FetchError(f"{place.host} leads on and on", hint="give the address of the picture itself")

    def addresses(self, place: Place) -> list[str]:
        """Return the addresses of a host that the server may connect to. Raises FetchError."""
        vouched = place.server in self._allowed
        if not vouched and not {"*", place.host} & self._allowed:
            hint = "send the picture itself, or ask the operator to allow this host"
            raise FetchError(f"pictures of {place.host} are not fetched", hint=hint)
        if not vouched and place.port != PORTS[place.scheme]:
            raise FetchError(f"port {place.port} of {place.host} is not asked", hint="send the picture itself")
        try:
            found = self._resolve(place.host, place.port)
        except (OSError, UnicodeError) as error:
            raise FetchError(f"there is no host {place.host}", hint="check the address") from error
        if not found or not (vouched or all(map(is_public, found))):
            raise FetchError(f"{place.host} is not a public host", hint="send the picture itself")
        return found

    @contextmanager
    def _asked(self, place: Place, seconds: float) -> Iterator[http.client.HTTPResponse]:
        """Give the answer of a place; when the time is up the connection is shut, whatever it waits for."""
        address = self.addresses(place)[0]
        try:
            wire = self._connect((address, place.port), min(seconds, 10.0))
        except OSError as error:
            raise FetchError(f"{place.host} does not answer", hint="check the address") from error
        connection = http.client.HTTPConnection(place.host, place.port)
        if place.scheme == "https":
            context = ssl.create_default_context()
            wire = context.wrap_socket(wire, server_hostname=place.host, do_handshake_on_connect=False)
        timer = threading.Timer(seconds, _shut, (wire,))
        timer.daemon = True
        timer.start()
        try:
            wire.settimeout(seconds)
            if isinstance(wire, ssl.SSLSocket):
                wire.do_handshake()
            connection.sock = wire
            headers = {"User-Agent": f"facecli/{__version__}", "Accept": "image/*", "Connection": "close"}
            connection.request("GET", place.target, headers=headers | {"Accept-Encoding": "identity"})
            yield connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchError(f"can not fetch from {place.host}: {type(error).__name__}", hint="try again") from error
        finally:
            timer.cancel()
            connection.close()
            wire.close()


def is_public(address: str) -> bool:
    """Return whether an address is one of the public internet, also behind the ways to write IPv4 in IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if any(found in network for network in NAT64):
            return False
        if found.sixtofour is not None or found.teredo is not None:
            return False
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
    if any(found in network for network in SPECIAL):
        return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def _place(url: str) -> Place:
    """Return the place of a URL. Raises FetchError for one that is none of http and https, or hides where it leads."""
    hint = "give an address such as https://example.org/a.jpg"
    if not url.isascii() or not url.isprintable() or any(sign in url for sign in " \\"):
        raise FetchError("the address has signs that no address has", hint=hint)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchError("the address can not be read", hint=hint) from error
    if parts.scheme not in PORTS or not parts.hostname:
        raise FetchError("only addresses of http and https are fetched", hint=hint)
    if "@" in parts.netloc:
        raise FetchError("an address with a user's name is not fetched", hint=hint)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, parts.hostname, PORTS[parts.scheme] if port is None else port, target)


def _body(answer: http.client.HTTPResponse, place: Place, limits: Limits, large: Callable[[], None]) -> bytes:
    if answer.status != 200:
        raise FetchError(f"{place.host} answers with HTTP {answer.status}", hint="check the address")
    media_type = shortened(answer.getheader("Content-Type", "").partition(";")[0].strip().lower(), 100)
    if not media_type.startswith("image/") and media_type not in UNTYPED:
        hint = "give the address of the picture itself"
        raise FetchError(f"{place.host} sends {media_type}, not a picture", hint=hint)

    def blocks() -> Iterator[bytes]:
        while block := answer.read1(BLOCK):
            yield block

    content = gathered(blocks(), limits.max_bytes, large)
    if len(content) > limits.max_bytes:
        raise FetchError(f"the picture at {place.host} is larger than {limits.max_bytes} bytes")
    return content


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it was closed meanwhile
        return
