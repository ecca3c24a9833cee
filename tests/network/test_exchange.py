"""One way to the web for pictures and models: proxies and certificates of the environment, and whose fault it is."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from facecli.network.exchange import exchange
from facecli.network.failures import ExpiredError, NetworkError

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def nobody() -> str:
    """The address of a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def failure(url: str, seconds: float = 5.0) -> NetworkError:
    with pytest.raises(NetworkError) as caught, exchange(url, seconds=seconds, idle=seconds) as answer:
        list(answer.blocks())
    return caught.value


def body(url: str, **headers: str) -> bytes:
    with exchange(url, headers, seconds=5, idle=5) as answer:
        assert answer.status == 200
        return b"".join(answer.blocks())


def test_a_body_comes_as_it_was_sent(server: str, collins: bytes) -> None:
    assert body(f"{server}/picture_.jpg") == collins


@pytest.mark.parametrize("path", ["silent", "drip", "drip-body"])
def test_an_exchange_ends_at_its_deadline(server: str, path: str) -> None:
    assert isinstance(failure(f"{server}/{path}", 0.3), ExpiredError | NetworkError)


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_dead_proxy_is_named(nobody: str, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, f"http://me:secret@{nobody}")
    told = failure("http://pictures.invalid/a.jpg")
    assert str(told) == f"the proxy http://{nobody} does not do its work: Connection refused"
    assert told.hint == "mend or unset the variable that names it"


def test_socks_without_its_package_says_what_to_install(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requests.adapters.SOCKSProxyManager", without_socks)
    monkeypatch.setenv("ALL_PROXY", f"socks5h://{nobody}")
    told = failure("http://pictures.invalid/a.jpg")
    assert str(told) == f"the proxy socks5h://{nobody} speaks SOCKS, which needs PySocks"
    assert told.hint == "pip install pysocks"


def without_socks(*_: object, **__: object) -> None:
    """Do as requests does without PySocks."""
    from requests.exceptions import InvalidSchema

    raise InvalidSchema("Missing dependencies for SOCKS support.")


class Proxy(BaseHTTPRequestHandler):
    """A proxy that wants a password, and tells what it was asked."""

    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(407 if "Proxy-Authorization" not in self.headers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_a_proxy_that_wants_a_password_is_named(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://{proxy}")
    with exchange("http://pictures.invalid/a.jpg", seconds=5, idle=5) as answer:
        assert answer.reason == f"the proxy http://{proxy} wants a name and a password (HTTP 407)"
    monkeypatch.setenv("http_proxy", f"http://me:secret@{proxy}")
    assert body("http://pictures.invalid/b.jpg") == b""
    monkeypatch.setenv("no_proxy", "pictures.invalid")
    assert "not known" in str(failure("http://pictures.invalid/c.jpg"))
    assert [path[-5:] for path in Proxy.asked] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificates_come_from_any_of_the_usual_variables(
    secure: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    url, certificate = secure
    told = failure(url)
    assert "certificate verify failed" in str(told)
    assert told.hint == "name the file of your certificates in SSL_CERT_FILE, if you trust it"
    monkeypatch.setenv(variable, str(certificate))
    assert body(url) == b""


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The URL of a server with a certificate of its own, and the certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*line, *more], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Empty(Proxy):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as listening:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"https://127.0.0.1:{listening.server_port}/", certificate
        listening.shutdown()


def test_no_connection_stays_open(server: str) -> None:
    before = open_files()
    for path in ("picture_.jpg", "moved", "nowhere", "drip-body", "silent", "in-circles"):
        for _ in range(3):
            with suppress(NetworkError), exchange(f"{server}/{path}", seconds=0.2, idle=0.2) as answer:
                if path != "drip-body":
                    list(answer.blocks())
    deadline = time.monotonic() + 20  # the server, in this process, has ends of its own
    while open_files() > before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert open_files() <= before


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def test_the_command_line_hides_passwords(run_cli: Any, server: str, tmp_path: Path) -> None:
    place = server.replace("://", "://bob:s%C3%A4cret@")
    good, bad = f"{place}/private?token=hush", f"{place}/nowhere?token=hush"
    run = run_cli("embed", good, bad, "--detector", "mtcnn", "-o", tmp_path / "x.npz", "--json")
    assert run.json["images"][0]["error"] is None
    assert run.json["images"][0]["source"] == f"{server}/private?token=***"
    failed, written = run.errors
    assert failed == f"facecli: can not fetch {server}/nowhere?token=***: HTTP 404 Not Found; " + HINT
    assert written.startswith("facecli: wrote 1 embeddings of 1 pictures to ")
    for told in (run.stdout, run.stderr, (tmp_path / "x.npz").read_bytes()):
        assert b"cret" not in told
        assert b"hush" not in told


HINT = "check the address and the network"
