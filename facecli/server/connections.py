"""Connections of a server: one on which no request comes is closed, so that those who only connect keep nobody out."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle


class Punctual(H11Protocol):  # type: ignore[misc, unused-ignore] # it is Any where uvicorn is not installed
    """One connection, which is closed when its next request has not come whole, but for the body, within `seconds`.

    uvicorn bounds the time between two requests alone, and not that of the first, nor of a head that drips in.
    """

    seconds = 20.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override, unused-ignore]
        """Begin, and look after the connection from now on."""
        super().connection_made(transport)
        self.loop.call_later(self.seconds, self._look, None)

    def _look(self, before: RequestResponseCycle | None) -> None:
        """Close the connection if nothing is being answered, nor was asked since the last look. before: its request."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:  # a WebSocket has its own
            return
        if self.cycle is before and (before is None or before.response_complete):
            self.transport.close()
        else:
            self.loop.call_later(self.seconds, self._look, self.cycle)
