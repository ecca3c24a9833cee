"""The progress of a run: what is done, at what rate, and the time that is left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """The state of a run. shards: to do in this run. done, lost, pictures, failed, faces: so far in this run."""

    shards: int
    done: int = 0
    lost: int = 0
    pictures: int = 0
    failed: int = 0
    faces: int = 0
    reason: str | None = None
    begun: float = field(default_factory=time.monotonic)

    @property
    def rate(self) -> float:
        """Pictures in a second."""
        return self.pictures / max(time.monotonic() - self.begun, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """The time that the other shards will take at this rate, None before the first is done."""
        return (time.monotonic() - self.begun) / self.done * (self.shards - self.done) if self.done else None
