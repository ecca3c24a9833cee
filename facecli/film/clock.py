"""A film's own clock, which goes on where the times that a film states begin anew, as in recordings put end to end."""

from __future__ import annotations

LEAST = 0.001  # s between two frames that state one time


class Clock:
    """Turns the times that a film's frames state into times that ascend.

    step: seconds from a frame to the next, where nothing better is known.
    """

    def __init__(self, step: float) -> None:
        self._step, self._shift = step, 0.0
        self._latest: float | None = None

    def at(self, stated: float | None) -> float:
        """Return the time of the next frame, in seconds, later than that of the one before.

        stated: what the film says, None if it says nothing. Times that go back by more than a frame are those of a
        clock that began anew: it goes on from here.
        """
        latest = self._latest
        following = 0.0 if latest is None else latest + self._step
        time = following if stated is None else stated + self._shift
        if latest is not None and time <= latest - self._step:
            self._shift += following - time
            time = following
        self._latest = time if latest is None else max(time, latest + LEAST)
        return self._latest
