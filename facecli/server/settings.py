"""The settings of a server, checked when they are given."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from facecli.errors import UsageError

MEGABYTE = 2**20
COMPATIBLE = ("compreface", "deepface")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a server. Raises UsageError for numbers that make no sense, and for a door without a lock.

    gallery: file of the people. host, port: the address to listen on; port 0 takes a free one. keys: file of the keys
    that clients need; None lets everybody in who can reach the server, and only this machine may then. allow_url: hosts
    whose pictures the server may fetch; "*" is every public one, and empty none. max_body: bytes of one request.
    max_pixels: of one picture, before it is decoded; the decoded one takes the memory that counts. queue: requests that
    may wait for the models. seconds: time that one request may take. rate: requests a minute of one client. downloads:
    folder for pictures of /api/download_image; None makes a temporary one. dataset: folder that is looked after, see
    facecli.server.dataset. live_fps: pictures a second that one live connection gets answers to. compat: other servers
    whose endpoints there are as well, of COMPATIBLE.
    """

    gallery: Path
    host: str = "127.0.0.1"
    port: int = 8000
    keys: Path | None = None
    allow_url: tuple[str, ...] = ()
    max_body: int = 10 * MEGABYTE
    max_pixels: int = 25_000_000
    queue: int = 32
    seconds: float = 30.0
    rate: int = 600
    downloads: Path | None = None
    dataset: Path | None = None
    live_fps: float = 5.0
    compat: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("max_body", "max_pixels", "queue", "rate"):
            if getattr(self, name) < 1:
                raise UsageError(f"{{{name}}} must be at least 1, got {getattr(self, name)}", about=name)
        if not self.seconds > 0:
            raise UsageError(f"{{seconds}} must be more than 0, got {self.seconds}", about="seconds")
        if not self.live_fps > 0:
            raise UsageError(f"{{live_fps}} must be more than 0, got {self.live_fps}", about="live_fps")
        if unknown := [name for name in self.compat if name not in COMPATIBLE]:
            message = f"{{compat}} knows no {unknown[0]!r:.40}"
            raise UsageError(message, hint=f"use {', '.join(COMPATIBLE)}", about="compat")
        if not self.local and self.keys is None:
            message = f"{self.host} can be reached from other machines, and nothing locks the door"
            raise UsageError(message, hint="name a file of keys with {keys}", about="keys")

    @property
    def local(self) -> bool:
        """True if only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
