"""The count of who asks how often: at most so many times within any minute."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from facecli.server.refusals import RefusalError

SECONDS = 60.0


class Rates:
    """Counts who asks how often, in memory. One thread may use it.

    most: times within `SECONDS`, by whoever asks. clock: seconds that only grow.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self._clock = most, clock
        self._times: dict[str, deque[float]] = {}
        self._swept = clock()

    def hit(self, name: str) -> bool:
        """Return whether somebody may ask once more, and count it if so."""
        now = self._clock()
        if now - self._swept >= SECONDS:
            self._sweep(now)
        times = self._times.setdefault(name, deque())
        while times and now - times[0] >= SECONDS:
            times.popleft()
        if len(times) >= self.most:
            return False
        times.append(now)
        return True

    def count(self, name: str, what: str) -> None:
        """Count that somebody asks, and raise RefusalError for one too many. what: of that, in the error's words."""
        if not self.hit(name):
            headers = {"Retry-After": f"{SECONDS:.0f}"}
            raise RefusalError(429, "busy", f"more than {self.most} {what} a minute", headers=headers)

    def __len__(self) -> int:
        """Return how many names are kept."""
        return len(self._times)

    def _sweep(self, now: float) -> None:
        """Let go everybody who has not asked for a while."""
        self._swept = now
        self._times = {name: times for name, times in self._times.items() if times and now - times[-1] < SECONDS}
