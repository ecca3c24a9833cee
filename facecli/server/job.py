"""One piece of work that takes longer than a request: how far it is, and its result."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import Literal

from facecli.output.records import Record

State = Literal["waiting", "running", "done", "failed", "cancelled"]


class StoppedError(Exception):
    """Ends the work of a job that nobody wants any more."""


@dataclass(slots=True, eq=False)
class Job:
    """One piece of long work. done, total: pictures of it; total may be 0. result: the document, when it is there."""

    kind: str
    total: int
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    state: State = "waiting"
    done: int = 0
    result: Record | None = None
    error: dict[str, str | None] | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def step(self) -> None:
        """Count one picture. Raises StoppedError if the job is to end."""
        self.done += 1
        self.check()

    def check(self) -> None:
        """Raise StoppedError if the job is to end."""
        if self.stop.is_set():
            raise StoppedError

    def shown(self) -> Record:
        """Return what a client is told."""
        return {
            "job": self.id,
            "kind": self.kind,
            "state": self.state,
            "progress": {"done": self.done, "total": self.total},
            "result": self.result,
            "error": self.error,
        }
