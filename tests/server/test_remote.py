"""No address leads the server to a place that is not public."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi", reason="a server needs facecli[serve]")

from facecli.errors import FetchError
from facecli.server.remote import Remote, is_public
from facecli.types import Limits

PRIVATE = [
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("198.18.0.1", "192.0.2.7", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0"),
    *("fc00::1", "fd12::7", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "not an address"),
    *("fec0::1", "feff::1", "192.0.0.8", "192.0.0.170", "192.88.99.1", "3fff::1", "3fff:fff::1", "::ffff:192.0.0.8"),
]
# What the system's resolver makes of other spellings of 127.0.0.1 is private all the same.
SPELLINGS = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "127.0.0.1.", "[::1]", "[::ffff:7f00:1]"]


class Network:
    """A resolver and connections of our own, which are counted. names: host -> addresses of each look-up in turn."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names, self.connected = names, []

    def resolve(self, host, _port):
        answers = self.names.get(host, [["127.0.0.1"]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address, _seconds):
        self.connected.append(address)
        raise OSError("no network in tests")


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_known(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "192.0.1.1"])
def test_public_addresses_are_known(address):
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_host_that_is_private_gets_no_connection(address):
    network = Network(example=[[address]])
    remote = Remote(("*",), network.resolve, network.connect)
    with pytest.raises(FetchError, match="not a public host"):
        remote.fetch("http://example/a.jpg", Limits())
    assert network.connected == []


@pytest.mark.parametrize("host", SPELLINGS)
def test_spellings_of_this_machine_get_no_connection(host):
    network = Network()
    with pytest.raises(FetchError):
        Remote(("*",), network.resolve, network.connect).fetch(f"http://{host}/a.jpg", Limits())
    assert network.connected == []


def test_one_private_address_among_public_ones_is_enough():
    network = Network(example=[["1.1.1.1", "10.0.0.1"]])
    with pytest.raises(FetchError, match="not a public host"):
        Remote(("*",), network.resolve, network.connect).fetch("http://example/a.jpg", Limits())
    assert network.connected == []


def test_the_address_that_was_checked_is_connected_to():
    network = Network(example=[["1.1.1.1"], ["127.0.0.1"]])  # a resolver that answers otherwise the second time
    with pytest.raises(FetchError, match="does not answer"):
        Remote(("*",), network.resolve, network.connect).fetch("http://example/a.jpg", Limits())
    assert network.connected == [("1.1.1.1", 80)]


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example/a.jpg", "file:///etc/passwd", "gopher://example/", "//example/a.jpg", "example/a.jpg", ""),
        *("http://example:22/a.jpg", "http://user:word@example/a.jpg", "http://example\\@127.0.0.1/", "http:///a.jpg"),
        *("http://example/\r\nHost: x", "http://exämple/a.jpg", "http://[::1/a.jpg", "http://example:99999/"),
    ],
)
def test_what_is_no_plain_address_gets_no_connection(url):
    network = Network(example=[["1.1.1.1"]])
    with pytest.raises(FetchError):
        Remote(("*",), network.resolve, network.connect).fetch(url, Limits())
    assert network.connected == []


def test_hosts_that_are_not_allowed_get_no_connection():
    network = Network(example=[["1.1.1.1"]], other=[["1.1.1.1"]])
    for allowed in ((), ("other",)):
        with pytest.raises(FetchError, match="not fetched"):
            Remote(allowed, network.resolve, network.connect).fetch("http://example/a.jpg", Limits())
    assert network.connected == []


class Redirecting(Network):
    """Answers each connection with a redirect to `target`."""

    def __init__(self, target: str) -> None:
        super().__init__(example=[["1.1.1.1"]])
        self.target, self.kept = target, []

    def connect(self, address, _seconds):
        import socket

        self.connected.append(address)
        ours, theirs = socket.socketpair()
        head = f"HTTP/1.1 302 Found\r\nLocation: {self.target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        theirs.sendall(head.encode())
        self.kept.append(theirs)
        return ours


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1/a.jpg", "http://localhost/", "file:///etc/passwd", "//127.0.0.1/"]
)
def test_a_redirect_to_this_machine_ends_the_way(target):
    network = Redirecting(target)
    with pytest.raises(FetchError):
        Remote(("*",), network.resolve, network.connect).fetch("http://example/a.jpg", Limits())
    assert network.connected == [("1.1.1.1", 80)]
    for one in network.kept:
        one.close()
