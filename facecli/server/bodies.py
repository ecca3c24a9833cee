"""Bodies of requests, read whole and counted before anything looks into them.

The parsers of forms write what they read to the disk before anybody has counted it; here a body is at most `most`
bytes in memory, all bodies together at most `ROOM`, and one that drips in is given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from facecli.server.refusals import RefusalError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

ROOM = 64 * 2**20  # bytes that bodies which are still being read may take together
SECONDS = 20.0  # that one body may take to arrive
DISCARDED, DISCARD_SECONDS = 64 * 2**20, 5.0  # bytes and time that a body which is too large is read on


class Bodies:
    """Reads bodies. most: bytes of one; seconds: time for one to arrive."""

    def __init__(self, most: int, room: int = ROOM, seconds: float = SECONDS) -> None:
        self._most, self._room, self._seconds, self._held = most, max(room, most), seconds, 0

    async def read(self, headers: MutableMapping[bytes, bytes], receive: Receive) -> bytes:
        """Return the body of a request. Raises RefusalError for one that is too large or too slow, or is cut off."""
        stated = headers.get(b"content-length", b"0")
        if not stated.isdigit() or len(stated) > 18:
            raise RefusalError(400, "usage", "Content-Length is not a number of bytes")
        if int(stated) > self._most:
            if b"expect" not in headers:  # such a client waits for the answer before it sends
                await self._discard(receive)
            raise self._too_large()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._gathered(receive)
        except TimeoutError:
            raise RefusalError(408, "slow", f"the body did not arrive within {self._seconds:g} s") from None

    async def _gathered(self, receive: Receive) -> bytes:
        held = bytearray()
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RefusalError(400, "usage", "the connection was closed before the body had arrived")
                block = message.get("body", b"")
                if len(held) + len(block) > self._most:
                    if message.get("more_body", False):
                        await self._discard(receive)
                    raise self._too_large()
                if self._held + len(block) > self._room:
                    raise RefusalError(429, "busy", "too many bodies arrive at once", headers={"Retry-After": "1"})
                held += block
                self._held += len(block)
                if not message.get("more_body", False):
                    return bytes(held)
        finally:
            self._held -= len(held)

    async def _discard(self, receive: Receive) -> None:
        """Read on for a while: a client whose body is not read hears of a broken connection, and not the reason."""
        left = DISCARDED
        try:
            async with asyncio.timeout(DISCARD_SECONDS):
                while left > 0:
                    message = await receive()
                    if not message.get("more_body", False):
                        return
                    left -= len(message["body"])
        except TimeoutError:
            return

    def _too_large(self) -> RefusalError:
        message = f"the request is larger than {self._most} bytes"
        return RefusalError(413, "too_large", message, hint="send a smaller picture", headers={"Connection": "close"})


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then what the server says."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
