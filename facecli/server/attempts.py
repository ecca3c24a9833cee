"""Faces in live views that nobody knew: kept in memory until somebody says who they are.

They are not written anywhere. A server that ends has forgotten them, and the oldest makes room for the newest.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass

from facecli.gallery.store.records import NewFace

MOST = 50


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """A face that was nearly somebody, or a stranger's.

    face: as it would be stored, with its crop. person, distance: the name of whom it may be, and how far it is from
    them; None if there is nobody near.
    """

    id: str
    face: NewFace
    person: str | None
    distance: float | None


class Attempts:
    """The latest faces that nobody knew."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Attempt] = OrderedDict()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, face: NewFace, near: tuple[str, float] | None) -> None:
        """Keep a face, unless the same picture is kept already. near: the name of whom it may be, and the distance."""
        with self._lock:
            if any(one.face.sha256 == face.sha256 for one in self._held.values()):
                return
            attempt = Attempt(f"seen-{next(self._numbers)}", face, *(near or (None, None)))
            self._held[attempt.id] = attempt
            while len(self._held) > MOST:
                self._held.popitem(last=False)

    def all(self) -> list[Attempt]:
        """Return all, latest first."""
        with self._lock:
            return list(reversed(self._held.values()))

    def get(self, number: str) -> Attempt | None:
        """Return one by its id."""
        return self._held.get(number)

    def drop(self, number: str) -> None:
        """Forget one."""
        with self._lock:
            self._held.pop(number, None)

    def forget(self, person: str) -> None:
        """Forget those that may be a person, and the strangers, who may be anybody. person: name."""
        with self._lock:
            for number in [one.id for one in self._held.values() if one.person in (None, person)]:
                del self._held[number]
