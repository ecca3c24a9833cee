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
POLICY = 1008  # the code of WebSocket for who may not


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

        A client whose request had no key sends {"key": KEY} first: a page can not send headers with a WebSocket.
        """
        await socket.accept()
        try:
            if not await self._admitted(socket):
                await socket.close(POLICY, "this needs a key with the scope identify")
                return
            view = await self._service.queue.run(lambda: LiveView(self._service.looks, self._service.people))
            while True:
                begun = time.monotonic()
                async with asyncio.timeout(WAIT):
                    frame = await socket.receive_bytes()
                await socket.send_text(dumps(await self._answer(view, frame)).decode())
                await asyncio.sleep(max(0.0, self._pause - (time.monotonic() - begun)))
        except (WebSocketDisconnect, KeyError):  # it left, or sent a text
            return
        except TimeoutError:
            await socket.close(1000, "no frame came for a while")

    async def _answer(self, view: LiveView, frame: bytes) -> dict[str, Any]:
        try:
            return await self._service.queue.run(lambda: view.answer(frame))
        except (FacecliError, RefusalError) as error:
            return {"frame": None, "faces": [], "error": error.as_dict()}

    async def _admitted(self, socket: WebSocket) -> bool:
        caller: Caller = socket.state.caller
        if caller.may("identify"):
            return True
        try:
            async with asyncio.timeout(WAIT):
                first = json.loads(await socket.receive_text())
            key = first["key"]
        except (TimeoutError, ValueError, KeyError, TypeError):
            return False
        try:
            return self._service.access.caller(caller.name, f"Bearer {key}", "").may("identify")
        except RefusalError:
            return False
