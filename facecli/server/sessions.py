"""The sessions of people who are logged in, by cookie."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence, Set

from facecli.server import secrecy

SESSION_SECONDS = 12 * 3600.0
MOST_SESSIONS = 10_000
COOKIE = "facecli_session"


class Sessions:
    """People who are logged in, by cookie. They are in memory: a server that is started anew knows nobody."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, float, bool]] = {}
        self._lock = threading.Lock()

    def begin(self, person: str, *, proven: bool) -> str:
        """Return the token of a new session of a person.

        person: uid. proven: whether more than a face has shown that it is theirs.
        """
        token = secrecy.new()
        with self._lock:
            now = time.monotonic()
            self._held = {one: held for one, held in self._held.items() if held[1] > now}
            while len(self._held) >= MOST_SESSIONS:
                self._held.pop(next(iter(self._held)))
            self._held[secrecy.digest(token)] = person, now + SESSION_SECONDS, proven
        return token

    def held(self, token: str) -> tuple[str | None, bool]:
        """Return whose session it is, by uid, and whether more than a face has shown that; None if there is none."""
        person, end, proven = self._held.get(secrecy.digest(token), (None, 0.0, False))
        return (person, proven) if end > time.monotonic() else (None, False)

    def end(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._held.pop(secrecy.digest(token), None)

    def keep(self, people: Set[str]) -> None:
        """End the sessions of all but these people. people: uids."""
        with self._lock:
            self._held = {one: held for one, held in self._held.items() if held[0] in people}

    def forget(self, people: Sequence[str]) -> None:
        """End all sessions of people. people: uids."""
        with self._lock:
            self._held = {one: held for one, held in self._held.items() if held[0] not in people}
