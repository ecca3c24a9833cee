"""Messages of native code on descriptor 2: told in our form, and heard where they complain about a picture.

libjpeg and libpng print that a file is damaged and go on, and no interface of OpenCV tells it otherwise. Only a process
that is ours alone may listen: in another's program descriptor 2 is left as it is.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MOST_LINES = 1000  # that are kept until somebody tells them


class NativeMessages:
    """The lines that arrive in a pipe, whose other end is descriptor 2. source: the end that is read, not blocking."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._rest = b""
        self._turn = threading.Condition()
        self._listeners, self._arrivals, self._alone = 0, 0, False
        self._expected: re.Pattern[str] | None = None
        self._complaints: list[str] = []
        self._others: list[str] = []

    def take(self) -> list[str]:
        """Return the lines that are no listener's, each once."""
        with self._turn:
            self._read()
            lines, self._others = self._others, []
            return lines

    def listen(self, action: Callable[[], T], expected: re.Pattern[str]) -> tuple[T, list[str]]:
        """Return what an action gives, and what was printed meanwhile as far as it is expected.

        Several threads may listen at once. If something was printed then, the action is done again, alone.
        """
        result, said, company = self._listen(action, expected, alone=False)
        if said and company:
            result, said, _ = self._listen(action, expected, alone=True)
        return result, said

    def _listen(self, action: Callable[[], T], expected: re.Pattern[str], *, alone: bool) -> tuple[T, list[str], bool]:
        """Return what `listen` returns, and whether another thread listened at the same time. alone: none may."""
        with self._turn:
            self._turn.wait_for(lambda: not self._alone and not (alone and self._listeners))
            self._expected = expected
            self._read()
            begun, arrivals, company = len(self._complaints), self._arrivals, self._listeners > 0
            self._listeners += 1
            self._arrivals += 1
            self._alone = alone
        try:
            result = action()
        finally:
            with self._turn:
                self._read()
                said = self._complaints[begun:]
                company |= self._arrivals > arrivals + 1
                self._listeners -= 1
                self._alone = False
                if not self._listeners:
                    self._complaints.clear()
                self._turn.notify_all()
        return result, said, company

    def _read(self) -> None:
        """Sort what has arrived; too many lines are dropped."""
        try:
            arrived = os.read(self._source, 2**20)
        except OSError:  # nothing is there
            return
        *lines, self._rest = (self._rest + arrived).split(b"\n")
        self._rest = self._rest[-(2**16) :]
        for line in (line.decode("utf-8", "replace") for line in lines if line.strip()):
            kept = self._complaints if self._expected and self._expected.search(line) else self._others
            if len(kept) < MOST_LINES:
                kept.append(line)


messages: NativeMessages | None = None  # of this process, if it is ours alone


def divert() -> None:
    """Lead descriptor 2 into `messages`; a flood that nobody takes is dropped, and never blocks who prints."""
    global messages  # noqa: PLW0603 # descriptor 2 is one for the whole process
    source, target = os.pipe()
    os.set_blocking(source, False)
    os.set_blocking(target, False)
    os.dup2(target, 2)
    os.close(target)
    messages = NativeMessages(source)


def listen(action: Callable[[], T], expected: re.Pattern[str]) -> tuple[T, list[str]]:
    """Return what an action gives, and the expected lines that native code printed; none where nobody may listen."""
    return (action(), []) if messages is None else messages.listen(action, expected)
