"""A real server that may fetch from every public host makes no connection to one that is not, however it is spelled."""

from __future__ import annotations

import json
import os
import socket
import threading

import pytest

# What runs first in the server's process: its resolver knows some names, and every connection that it makes is noted
# and goes to the socket of this test, whatever its address.
CUSTOM = """
import json, os, socket
with open(os.environ["TEST_NAMES"]) as file:
    names = json.load(file)
real, connect = socket.getaddrinfo, socket.create_connection

def resolve(host, port, *rest, **more):
    if host not in names:
        return real(host, port, *rest, **more)
    found = names[host].pop(0) if len(names[host]) > 1 else names[host][0]
    families = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in found]
    return [(family, socket.SOCK_STREAM, 6, "", (one, port)) for family, one in zip(families, found)]

def noted(address, *rest, **more):
    with open(os.environ["TEST_CONNECTIONS"], "a") as file:
        file.write(address[0] + chr(10))
    return connect(("127.0.0.1", int(os.environ["TEST_PORT"])), *rest, **more)

socket.getaddrinfo, socket.create_connection = resolve, noted
"""
PUBLIC = "93.184.216.34"
NAMES = {  # answers of each look-up in turn
    "public.example": [[PUBLIC]],
    "rebinding.example": [[PUBLIC], ["127.0.0.1"]],
    "loopback.example": [["127.0.0.1"]],
    "metadata.example": [["169.254.169.254"]],
    "both.example": [[PUBLIC, "10.0.0.1"]],
    "six.example": [["fd00::7"]],
    "mapped.example": [["::ffff:192.168.0.1"]],
    "127.0.0.1.nip.example": [["127.0.0.1"]],
}
HOSTS = [
    *("127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001"),
    *(
        "127.0.0.1.",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.8.8.8",
        "0.0.0.0",
        "0",
        "0x0",
        "10.0.0.1",
        "172.16.0.1",
    ),
    *(
        "192.168.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
    ),
    *("255.255.255.255", "192.0.2.1", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    *("[fe80::1]", "[fc00::1]", "[fd00::1]", "[ff02::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]"),
    *("loopback.example", "metadata.example", "both.example", "six.example", "mapped.example", "127.0.0.1.nip.example"),
]


class Listener:
    """A socket that counts the connections that come, and answers each with the picture or with a redirect."""

    def __init__(self, picture: bytes) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.count, self.target, self._picture = 0, "", picture
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            with connection:
                if not connection.recv(65536).startswith(b"GET"):
                    return
                self.count += 1
                if self.target:
                    head, body = f"302 Found\r\nLocation: {self.target}", b""
                else:
                    head, body = "200 OK\r\nContent-Type: image/jpeg", self._picture
                connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"end")
        self._thread.join()
        self.socket.close()


@pytest.fixture(scope="module")
def listener(collins):
    made = Listener(collins)
    yield made
    made.close()


@pytest.fixture(scope="module")
def connections(tmp_path_factory):
    """The file in which each connection is noted by its address."""
    path = tmp_path_factory.mktemp("noted") / "connections.txt"
    path.touch()
    return path


@pytest.fixture(scope="module")
def server(start_server, listener, connections, cli_env):
    folder = connections.parent
    (folder / "sitecustomize.py").write_text(CUSTOM)
    (folder / "names.json").write_text(json.dumps(NAMES))
    env = {
        "PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [cli_env.get("PYTHONPATH")])]),
        "TEST_NAMES": str(folder / "names.json"),
        "TEST_CONNECTIONS": str(connections),
        "TEST_PORT": str(listener.port),
    }
    return start_server("--allow-url", "*", "--rate", "10000", env=env)


def test_a_public_host_is_connected_to(server, listener, connections):
    """Without this the others would prove nothing."""
    answer = server.post("/v1/detect", json={"image_url": "http://public.example/a.jpg"})
    assert answer.status_code == 200, answer.text
    assert listener.count == 1
    assert connections.read_text() == f"{PUBLIC}\n"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_a_private_address_is_connected_to(server, listener, connections, scheme):
    listener.target, counted, noted = "", listener.count, connections.read_text()
    for host in HOSTS:
        answer = server.post("/v1/detect", json={"image_url": f"{scheme}://{host}/a.jpg"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "fetch"), host
        assert "public host" in answer.json()["error"]["message"] or "no host" in answer.json()["error"]["message"], (
            host
        )
        download = server.get("/api/download_image", params={"url": f"{scheme}://{host}/a.jpg"}).json()
        assert download["success"] is False, host
        emotion = server.post("/analyze/emotion", json={"image_url": f"{scheme}://{host}/a.jpg"})
        assert (emotion.status_code, emotion.json()) == (400, {"error": "Invalid image_url provided"}), host
    assert (listener.count, connections.read_text()) == (counted, noted)


def test_no_redirect_leads_to_a_private_address(server, listener, connections):
    for host in HOSTS:
        counted, listener.target = listener.count, f"http://{host}/a.jpg"
        answer = server.post("/v1/detect", json={"image_url": "http://public.example/a.jpg"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "fetch"), host
        assert listener.count == counted + 1, host
    listener.target = ""
    assert set(connections.read_text().split()) == {PUBLIC}


def test_a_name_that_changes_its_address_is_connected_to_where_it_was_checked(server, listener, connections):
    first = server.post("/v1/detect", json={"image_url": "http://rebinding.example/a.jpg"})
    assert first.status_code == 200, first.text
    counted = listener.count
    second = server.post("/v1/detect", json={"image_url": "http://rebinding.example/a.jpg"})
    assert (second.status_code, second.json()["error"]["code"]) == (422, "fetch")
    assert listener.count == counted
    assert set(connections.read_text().split()) == {PUBLIC}
