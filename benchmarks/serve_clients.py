"""Clients of a server that ask again and again, all in one thread: the machine is the server's as well."""

from __future__ import annotations

import re
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

REST = 0.2  # seconds that a client waits after 429
LONGEST = 120.0  # seconds without any answer


@dataclass
class Load:
    """What clients got. taken: seconds of each answer of 200. seconds: of the whole. server, own: of the processor."""

    taken: list[float]
    statuses: Counter[int]
    seconds: float
    server: float
    own: float

    @property
    def rate(self) -> float:
        """Answers of 200 a second."""
        return len(self.taken) / self.seconds


class Client:
    """One client: a connection, and what has come of the answer. address: HOST:PORT."""

    def __init__(self, address: str, path: str, picture: bytes) -> None:
        host, _, port = address.partition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: image/jpeg\r\n"
        self._request = f"{head}Content-Length: {len(picture)}\r\n\r\n".encode() + picture
        self._held, self.begun, self.resting = b"", 0.0, 0.0

    def ask(self) -> None:
        """Send the request once more."""
        self._held, self.begun, self.resting = b"", time.perf_counter(), 0.0
        self.socket.sendall(self._request)

    def status(self) -> int | None:
        """Return the status of the answer once the whole of it has come; None until then."""
        block = self.socket.recv(2**16)
        if not block:
            sys.exit("the server closed a connection")
        self._held += block
        head, end, body = self._held.partition(b"\r\n\r\n")
        if not end:
            return None
        length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])  # type: ignore[index]
        return int(head.split(b" ", 2)[1]) if len(body) >= length else None


def ask_on(address: str, path: str, picture: bytes, count: int, seconds: float, spent: Callable[[], float]) -> Load:
    """Return what clients in a closed loop get; each asks once more when it has its answer, until the time is over.

    spent: tells the processor's time that the server has taken.
    """
    got = Load([], Counter(), 0.0, spent(), time.process_time())
    begun = time.perf_counter()
    clients = [Client(address, path, picture) for _ in range(count)]
    with selectors.DefaultSelector() as waiting:
        for client in clients:
            client.ask()
            waiting.register(client.socket, selectors.EVENT_READ, client)
        while waiting.get_map():
            found = waiting.select(REST / 10 if any(one.resting for one in clients) else LONGEST)
            now = time.perf_counter()
            for key, _ in found:
                one: Client = key.data
                if (status := one.status()) is None:
                    continue
                got.statuses[status] += 1
                if status == 200:
                    got.taken.append(now - one.begun)
                one.resting = now + (REST if status == 429 else 0.0)
            for one in clients:
                if not one.resting or now < one.resting:
                    continue
                if now - begun < seconds:
                    one.ask()
                else:
                    one.resting = 0.0
                    waiting.unregister(one.socket)
                    one.socket.close()
    got.seconds, got.server, got.own = now - begun, spent() - got.server, time.process_time() - got.own
    return got
