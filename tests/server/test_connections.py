"""Connections on which nothing is asked are closed, and those that work are left alone."""

from __future__ import annotations

import asyncio
import socket

import pytest

pytest.importorskip("uvicorn", reason="a server needs facecli[serve]")

import uvicorn

from facecli.server.connections import Punctual
from facecli.server.running import _listening

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Hasty(Punctual):
    seconds = 0.2


async def app(_scope, receive, send):
    """Answer when the whole body is there, and not sooner than after several looks at the connection."""
    while (await receive()).get("more_body", False):
        pass
    await asyncio.sleep(5 * Hasty.seconds)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def asked(first: bytes) -> bytes:
    """Return all that a connection gives, until it is closed, to bytes that are sent at once."""
    config = uvicorn.Config(app, http=Hasty, lifespan="off", log_level="error", port=0, timeout_keep_alive=600)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    writer.write(first)
    answer = await asyncio.wait_for(reader.read(), 60)  # the bound keeps a broken server from hanging the tests
    writer.close()
    server.should_exit = True
    await serving
    return answer


@pytest.mark.parametrize("first", [b"", ASK[:20]], ids=("no byte", "half a head"))
def test_a_connection_that_asks_nothing_is_closed(first):
    assert asyncio.run(asked(first)) == b""


@pytest.mark.parametrize("second", [b"", ASK[:20]], ids=("no byte", "half a head"))
def test_a_request_is_answered_however_long_it_takes(second):
    assert asyncio.run(asked(ASK + second)).startswith(b"HTTP/1.1 204")


def test_no_part_of_an_answer_waits_until_the_part_before_has_arrived():
    """A sender that may gather small parts waits for the sign of the first one, which a receiver delays by 40 ms."""
    gathering = []

    class Told(asyncio.Protocol):
        def connection_made(self, transport):
            own = transport.get_extra_info("socket")
            gathering.append(not own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def connect():
        listening = await asyncio.get_running_loop().create_server(Told, sock=_listening("127.0.0.1", 0))
        _, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        while not gathering:
            await asyncio.sleep(0)
        writer.close()
        listening.close()

    asyncio.run(asyncio.wait_for(connect(), 20))
    assert gathering == [False]
