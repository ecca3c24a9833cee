"""Memory for pictures that are read and decoded at the same time, for all threads of the process together.

A limit for each picture does not bound a process: several jobs, and batches, hold several pictures. So each picture
takes the bytes that its decoding needs from one room, and waits while there are not enough.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from facecli.types import Limits

# Bytes for each pixel that is allowed, file and decoder included: 3 in the picture, 3 in OpenCV's copy of it, and what
# formats such as GIF take besides. Those that need more, such as progressive JPEG in four colours, may have fewer.
BYTES_PER_PIXEL = 9
# Bytes for each pixel that is allowed, of all pictures at the same time. It is less than the largest one may take,
# which is then read alone, because detectors need memory beside the pictures: the cascades 0.4 GB.
BYTES_AT_ONCE = 6
OF_A_JOB = 80_000_000  # bytes: a photo of 12 megapixels


class Room:
    """Bytes that are shared out in the order in which they are asked for; who needs more than all of them waits alone.

    total: bytes; it may grow.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._taken = 0
        self._turn = threading.Condition()
        self._waiting: deque[Share] = deque()

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Give a share of nothing, which may grow; in the end it is given back."""
        own = Share(self)
        try:
            yield own
        finally:
            own.take(0)

    def change(self, share: Share, size: int, *, wait: bool) -> bool:
        """Let a share have another size, at once or in its turn; return False if it must wait and does not want to."""
        with self._turn:
            if size > share.size:
                if not wait and (self._waiting or not self._fits(share, size)):
                    return False
                self._waiting.append(share)
                try:
                    self._turn.wait_for(lambda: self._waiting[0] is share and self._fits(share, size))
                finally:  # Ctrl-C as well
                    self._waiting.remove(share)
                    self._turn.notify_all()
            self._taken += size - share.size
            share.size = size
            self._turn.notify_all()
            return True

    def _fits(self, share: Share, size: int) -> bool:
        others = self._taken - share.size
        return not others or others + size <= self.total


class Share:
    """A part of a room that one picture takes. size: bytes."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0

    def take(self, size: int, *, wait: bool = True) -> bool:
        """Take so many bytes in all; return False, with the share as it was, if there is no room and `wait` is off.

        Who waits for more must not hold other shares: two could wait for each other.
        """
        return self._room.change(self, size, wait=wait)

    def take_all(self) -> None:
        """Take everything, so that nobody else reads or decodes meanwhile."""
        self.take(self._room.total)


ROOM = Room(BYTES_AT_ONCE * Limits().max_pixels)  # of this process


def widen_for(jobs: int) -> None:
    """Let so many jobs work on ordinary photos at once, on machines with many cores."""
    ROOM.total = max(ROOM.total, OF_A_JOB * jobs)
