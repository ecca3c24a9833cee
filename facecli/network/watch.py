"""A watch over the connections of one exchange: when its time is up it shuts them, whatever they wait for.

A socket's own time-out begins anew with every byte, so that a server which sends one now and then could hold the
program for ever.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter

from facecli.network.failures import ExpiredError


class Watch:
    """Shuts the connections of its adapters after some seconds, unless it was stopped; a context manager."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Watch:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        with self._lock:
            for one in self._sockets:
                one.close()
            self._sockets.clear()

    def stop(self) -> None:
        """Let the exchange take all the time that it needs from now on."""
        self._timer.cancel()

    def check(self) -> None:
        """Raise ExpiredError if the time is up."""
        if self.expired:
            raise ExpiredError(self.seconds)

    def adapter(self) -> HTTPAdapter:
        """Return what makes the connections of a requests session, each of which is watched."""
        watch = self

        class Watched(HTTPAdapter):
            def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
                pool = super().get_connection_with_tls_context(*arguments, **options)
                pool.ConnectionCls = watch.watched(pool.ConnectionCls)
                return pool

        return Watched()

    def watched(self, connection: Any) -> Any:
        """Return a kind of urllib3's connections whose sockets are watched from their first byte on."""
        watch = self

        class Watched(connection):  # type: ignore[misc] # of http, of https, or of a SOCKS proxy
            def _new_conn(self) -> socket.socket:
                made: socket.socket = super()._new_conn()
                watch.add(made)
                return made

        return Watched

    def add(self, connected: socket.socket) -> None:
        """Watch a socket. It is duplicated: TLS takes the original apart."""
        with self._lock:
            self._sockets.append(connected.dup())
            if self.expired:
                self._shut()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            self._shut()

    def _shut(self) -> None:
        for one in self._sockets:
            with suppress(OSError):  # it may be closed already
                one.shutdown(socket.SHUT_RDWR)
