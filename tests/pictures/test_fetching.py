"""Pictures from URLs: answers that are no picture, servers that are slow, and names that are no URL."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from facecli import __version__
from facecli.errors import FetchError, InputError
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
        ("to-file", "it leads to file:///etc/hostname, which is not allowed"),
        ("to-ftp", r"it leads to ftp://127\.0\.0\.1/a\.jpg, which is not allowed"),
        ("in-circles", "it leads on and on, 10 times and more"),
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


@pytest.mark.parametrize("path", ["silent", "drip", "drip-body"])
def test_a_slow_url_ends_at_the_deadline(server: str, path: str) -> None:
    start = time.monotonic()
    with pytest.raises(FetchError, match=r"no picture within 0\.3 s; raise timeout"):
        only(f"{server}/{path}").read(Limits(timeout=0.3))
    assert time.monotonic() - start < 2


def test_the_body_of_a_redirect_is_not_read(server: str, collins: bytes, misbehaving: Any) -> None:
    assert only(f"{server}/moved-with-much").read(LIMITS) == collins
    assert misbehaving.taken < 2**24  # what the system's buffers hold


@pytest.mark.parametrize("path", ["private", "to-private", "to-private-with-password"])
def test_a_password_in_a_url_is_sent_and_not_shown(server: str, collins: bytes, path: str) -> None:
    source = only(f"{server.replace('://', '://bob:s%C3%A4cret@')}/{path}")
    assert source.name == f"{server}/{path}"
    assert source.read(LIMITS) == collins


def test_a_password_is_for_its_own_host(server: str) -> None:
    source = only(f"{server.replace('://', '://bob:s%C3%A4cret@')}/to-elsewhere")
    with pytest.raises(FetchError, match="HTTP 401") as caught:
        source.read(LIMITS)
    assert "cret" not in str(caught.value)


def test_secret_parts_of_a_query_are_not_shown(server: str, collins: bytes) -> None:
    source = only(f"{server}/picture_.jpg?id=7&X-Amz-Signature=abcd&sig=ef#top")
    assert source.name == f"{server}/picture_.jpg?id=7&X-Amz-Signature=***&sig=***#top"
    assert source.read(LIMITS) == collins


def test_a_data_url_is_not_taken_for_a_name() -> None:
    source = only("data:image/jpeg;base64," + "A" * 80_000)
    assert len(source.name) < 400
    with pytest.raises(InputError, match="data: URLs are not read; decode its base64") as caught:
        source.read(LIMITS)
    assert len(str(caught.value)) < 400


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
