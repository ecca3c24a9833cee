"""A server that runs: one process, one port, until it is told to end."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from facecli.errors import OutputError
from facecli.server.app import make_app
from facecli.server.connections import Punctual
from facecli.server.service import Service

AT_ONCE = 256  # connections; each may hold a body
BACKLOG = 2048  # connections that may wait to be accepted
MOST_FRAME = 4 * 1024 * 1024  # bytes of a frame of a live view; several may be on their way at once
GRACE = 3  # seconds for requests that are at work when the server is told to end


def serve(service: Service, told: Callable[[str], None]) -> None:
    """Answer requests until the process is told to end. told: gets the address as soon as it is listened on.

    Raises OutputError if the address can not be had.
    """
    settings = service.settings
    listening = _listening(settings.host, settings.port)
    host, port = listening.getsockname()[:2]
    config = uvicorn.Config(
        make_app(service),
        http=Punctual,
        log_level="warning",
        access_log=False,
        limit_concurrency=AT_ONCE,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=64 * 1024,
        ws_max_size=min(settings.max_body, MOST_FRAME),
        server_header=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    told(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    server.run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio lets no answer's last part wait for a sign that the first part has arrived.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(BACKLOG)  # who comes before the first request is answered waits, and is not turned away
    except OSError as error:
        found.close()
        hint = "choose another {port}, or 0 for a free one"
        raise OutputError(f"can not listen on {host}:{port}: {error.strerror}", hint=hint, about="port") from error
    return found
