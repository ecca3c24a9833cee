"""Bodies that come slowly or without an end, through real sockets to a real server."""

from __future__ import annotations

import re
import select
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from facecli.server.bodies import DISCARDED

MOST_BODY = 2**20  # bytes
SLOW = 6  # connections that drip at the same time
ROOM = 16 * 2**20  # bytes that the buffers of two sockets may hold


@pytest.fixture(scope="module")
def server(start_server):
    client = start_server("--max-body", str(MOST_BODY), "--rate", "10000")
    while client.get("/v1/ready").status_code == 503:
        pass
    return client


def connected(server) -> socket.socket:
    place = urlsplit(server.address)
    return socket.create_connection((place.hostname, place.port), timeout=60)


def head(*more: str) -> bytes:
    lines = ("POST /v1/detect HTTP/1.1", "Host: 127.0.0.1", "Content-Type: image/jpeg", *more)
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def answered(connection: socket.socket) -> bytes:
    """Return the answer of the server, whose last part is an error's id."""
    found = b""
    while b'"request_id": ' not in found and (part := connection.recv(65536)):
        found += part
    return found


def drip(server, answers: list[bytes], block: bytes, *headers: str) -> None:
    """Send a block each half second until the server answers."""
    with connected(server) as connection:
        connection.sendall(head(*headers))
        while not select.select([connection], [], [], 0.5)[0]:
            connection.sendall(block)
        answers.append(answered(connection))


def test_bodies_that_drip_in_are_given_up_and_others_are_answered_meanwhile(server, collins):
    answers: list[bytes] = []
    ways = ((b"x", "Content-Length: 100000"), (b"1\r\nx\r\n", "Transfer-Encoding: chunked"))
    slow = [threading.Thread(target=drip, args=(server, answers, *ways[number % 2])) for number in range(SLOW)]
    for one in slow:
        one.start()
    while any(one.is_alive() for one in slow):
        answer = server.post("/v1/detect", data=collins, headers={"Content-Type": "image/jpeg"})
        assert answer.status_code == 200
    for one in slow:
        one.join()
    assert len(answers) == SLOW
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code": "slow"' in answer


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux, which tells the peak of memory")
def test_a_chunked_body_without_an_end_is_cut_off(server):
    folder = Path(f"/proc/{server.process.pid}")

    def status(name: str) -> int:
        return int(re.search(rf"{name}:\s+(\d+)", (folder / "status").read_text())[1]) * 1024

    (folder / "clear_refs").write_text("5")
    before = status("VmRSS")
    block, sent, answer = b"10000\r\n" + bytes(2**16) + b"\r\n", 0, b""
    with connected(server) as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        while not answer and sent < 2**30:
            readable, writable, _ = select.select([connection], [connection], [], 60)
            if readable:
                answer = answered(connection)
            elif writable:
                sent += connection.send(block)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"larger than {MOST_BODY} bytes".encode() in answer
    assert MOST_BODY < sent < MOST_BODY + DISCARDED + ROOM
    assert status("VmHWM") - before < 32 * 2**20
