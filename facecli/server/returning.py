"""The people of one live view: who comes back has the number that they had, by the name or by the face."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from facecli.tracking.joining import Likeness
from facecli.tracking.tracklet import Tracklet
from facecli.types import FloatArray

MOST = 50  # people who are remembered after they left; the one who has been away for longest is forgotten first


@dataclass(frozen=True, slots=True, eq=False)
class _Away:
    """Somebody who left. person: the name, None if nobody knew. embedding: (D,) float32, the mean of the best looks."""

    person: str | None
    embedding: FloatArray


class Returning:
    """Numbers people from 1. likeness: the rule for when two faces are one person's."""

    def __init__(self, likeness: Likeness) -> None:
        self._likeness = likeness
        self._numbers: dict[int, int] = {}  # track -> person, of those who are here
        self._away: OrderedDict[int, _Away] = OrderedDict()
        self._latest = 0

    def number(self, track: Tracklet) -> int:
        """Return the number of the person whose face a track follows.

        It may change once: a name tells more than a single look at a face.
        """
        number, person = self._numbers.get(track.number), None if track.answer is None else track.answer.person
        back = self._named(person) if person is not None else None
        if back is None and number is None:
            back = self._alike(track.mean())
        if back is not None:
            del self._away[back]
            number = back
        elif number is None:
            self._latest += 1
            number = self._latest
        self._numbers[track.number] = number
        return number

    def leave(self, track: int, person: str | None, embedding: FloatArray | None) -> None:
        """Remember the person of a track that ended. embedding: (D,) float32; None for a face that nobody looked at."""
        number = self._numbers.pop(track, None)
        if number is not None and embedding is not None:
            self._away[number] = _Away(person, embedding)
            while len(self._away) > MOST:
                self._away.popitem(last=False)

    def forget(self) -> None:
        """Forget everybody who is away."""
        self._away.clear()

    def _named(self, person: str) -> int | None:
        return next((number for number, one in self._away.items() if one.person == person), None)

    def _alike(self, embedding: FloatArray | None) -> int | None:
        if embedding is None or not self._away:
            return None
        every = np.stack([one.embedding for one in self._away.values()])
        distances = self._likeness.distances(embedding[None], every)[0]
        nearest = int(distances.argmin())
        return list(self._away)[nearest] if distances[nearest] <= self._likeness.threshold else None
