"""The live view over a WebSocket: JPEGs in, JSON out, one answer for each."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from facecli.errors import FacecliError
from facecli.server.caller import Caller
from facecli.server.live import LiveView
from facecli.server.refusals import RefusalError, dumps
from facecli.server.service import Service

WAIT = 60.0  # seconds without a frame after which the view is closed
POLICY, UNREADABLE = 1008, 1003  # the codes of WebSocket for who may not, and for data of another kind


class LiveRoutes:
    """The endpoint of live views. A client sends a frame, waits for its answer, and then sends the next."""

    def __init__(self, service: Service) -> None:
        self._service, self._pause = service, 1.0 / service.settings.live_fps

    def router(self) -> APIRouter:
        """Return the endpoint."""
        router = APIRouter()
        router.add_api_websocket_route("/v1/live", self.live)
        return router

    async def live(self, socket: WebSocket) -> None:
        """Answer frames until the client leaves.

        The first message may be {"key": KEY}, because a page can not send headers with a WebSocket. It is not
        needed, and does no harm, where the session admits the client, or the server has no keys.
        """
        await socket.accept()
        try:
            first = await _message(socket)
            if not self._admitted(socket, first):
                await socket.close(POLICY, "this needs a key with the scope identify")
                return
            view = await self._service.queue.run(lambda: LiveView(self._service.looks, self._service.people))
            frame = first if isinstance(first, bytes) else await _message(socket)
            while isinstance(frame, bytes):
                begun = time.monotonic()
                await socket.send_text(dumps(await self._answer(view, frame)).decode())
                await asyncio.sleep(max(0.0, self._pause - (time.monotonic() - begun)))
                frame = await _message(socket)
            await socket.close(UNREADABLE, "a frame is bytes")
        except WebSocketDisconnect:
            return
        except TimeoutError:
            await socket.close(1000, "no frame came for a while")

    async def _answer(self, view: LiveView, frame: bytes) -> dict[str, Any]:
        try:
            return await self._service.queue.run(lambda: view.answer(frame))
        except (FacecliError, RefusalError) as error:
            return {"frame": None, "faces": [], "error": error.as_dict()}

    def _admitted(self, socket: WebSocket, first: str | bytes) -> bool:
        """Return whether a client may look. first: its first message, which may have a key."""
        caller: Caller = socket.state.caller
        if caller.may("identify"):
            return True
        try:
            key = json.loads(first)["key"] if isinstance(first, str) else ""
            return self._service.access.caller(caller.name, f"Bearer {key}", "").may("identify")
        except (ValueError, KeyError, TypeError, RecursionError, RefusalError):
            return False


async def _message(socket: WebSocket) -> str | bytes:
    """Return the next message of a client. Raises WebSocketDisconnect, TimeoutError."""
    async with asyncio.timeout(WAIT):
        message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    found: str | bytes | None = message.get("bytes")
    return message["text"] if found is None else found
