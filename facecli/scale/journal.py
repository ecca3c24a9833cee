"""The notes of a worker that goes picture by picture: when it dies, the next one knows on which.

The notes lie beside the output, so that they outlive the worker, its machine and the command itself.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from facecli.places.place import Place

MOST_DEATHS = 2  # on one picture, after the death that made the workers careful


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes on a shard as its last careful worker left them.

    at: place of the picture that was begun. deaths: of workers on it, before. crashed: places of pictures that have
    ended their worker too often. done: pictures that this worker itself has ended before `at`.
    """

    at: int
    deaths: int
    crashed: tuple[int, ...]
    done: int


def notes_on(place: Place, number: int) -> Notes | None:
    """Return the notes on a shard; None if there are none, or damaged ones, which are begun anew."""
    try:
        told = json.loads(place.read(_name(number)))
        return Notes(int(told["at"]), int(told["deaths"]), tuple(map(int, told["crashed"])), int(told["done"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


class Journal:
    """The notes of one worker on one shard. crashed: as in Notes."""

    def __init__(self, place: Place, number: int) -> None:
        self._place, self._name = place, _name(number)
        self._at, self._deaths, self._done = -1, 0, -1
        self.crashed: set[int] = set()
        if (notes := notes_on(place, number)) is None:
            return
        self._at, self._deaths, self.crashed = notes.at, notes.deaths + 1, set(notes.crashed)
        if self._deaths >= MOST_DEATHS:
            self.crashed.add(self._at)
            self._at, self._deaths = -1, 0

    def begin(self, picture: int) -> None:
        """Note that a picture is begun, and that the one before has ended well. picture: its place in the shard."""
        self._done += 1
        deaths = self._deaths if picture == self._at else 0
        notes = Notes(picture, deaths, tuple(sorted(self.crashed)), self._done)
        self._place.write(self._name, json.dumps(asdict(notes)).encode())

    def close(self) -> None:
        """Remove the notes: the shard is done."""
        self._place.remove(self._name)


def _name(number: int) -> str:
    return f"trouble/{number:05}.json"
