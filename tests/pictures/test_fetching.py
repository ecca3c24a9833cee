"""Pictures from URLs: answers that are no picture, servers that are slow, and names that are no URL."""

from __future__ import annotations

import socket
import time

import pytest

from facecli import __version__
from facecli.errors import FetchError
from facecli.pictures.listing import expand
from facecli.pictures.sources import Source
from facecli.types import Limits

LIMITS = Limits()


def only(url: str) -> Source:
    (source,) = expand([url])
    return source


@pytest.mark.parametrize("path", ["picture_.jpg", "untyped", "moved", "picture_.jpg?size=große Datei"])
def test_a_url(server: str, collins: bytes, path: str) -> None:
    source = only(f"{server}/{path}")
    assert source.name == f"{server}/{path}"
    assert source.read(LIMITS) == collins


def test_the_user_agent(server: str) -> None:
    assert only(f"{server}/agent").read(LIMITS) == f"facecli/{__version__}".encode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere.jpg", "HTTP 404 Not Found"),
        ("broken", "HTTP 500 Internal Server Error"),
        ("page", "it is text/html, not a picture"),
        ("to-file", "HTTP 302 .*file:///etc/hostname.* not allowed"),
        ("to-ftp", "unknown url type: ftp"),
        ("in-circles", "infinite loop"),
        ("short", r"the connection broke after 999 of \d+ bytes"),
        ("promises-much", "it is larger than 100000 bytes"),
        ("endless", "it is larger than 100000 bytes"),
    ],
)
def test_urls_that_fail(server: str, path: str, words: str) -> None:
    with pytest.raises(FetchError, match=words) as caught:
        only(f"{server}/{path}").read(Limits(max_bytes=100_000))
    assert "\n" not in str(caught.value)
    assert f"{server}/{path}" in caught.value.message


@pytest.mark.parametrize("path", ["silent", "drip"])
def test_a_slow_url_ends_at_the_deadline(server: str, path: str) -> None:
    start = time.monotonic()
    with pytest.raises(FetchError, match=r"no picture within 0\.3 s; raise timeout"):
        only(f"{server}/{path}").read(Limits(timeout=0.3))
    assert time.monotonic() - start < 2


def test_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(FetchError, match="Connection refused"):
        only(f"http://127.0.0.1:{port}/a.jpg").read(LIMITS)


@pytest.mark.parametrize("url", ["ftp://host/a.jpg", "file:///etc/hostname", "s3://bucket/a.jpg"])
def test_other_schemes(url: str) -> None:
    with pytest.raises(FetchError, match="only http and https"):
        only(url).read(LIMITS)


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1/a.jpg", "http://a:port/b.jpg", "http://a b/c.jpg", "http://x..y/"]
)
def test_malformed_urls(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        only(url).read(Limits(timeout=5))
    assert "\n" not in str(caught.value)
