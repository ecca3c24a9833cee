"""The notes of a worker that goes picture by picture: when it dies, the next one knows on which.

The notes lie beside the output, so that they outlive the worker, its machine and the command itself.
"""

from __future__ import annotations

import json
from typing import Any

from facecli.scale.place import Place

MOST_DEATHS = 2  # on one picture, after the death that made the workers careful


class Journal:
    """The notes of one shard. crashed: the places of pictures that have ended their worker too often."""

    def __init__(self, place: Place, number: int) -> None:
        self._place, self._name = place, f"trouble/{number:05}.json"
        self._at, self._deaths = -1, 0
        self.crashed: set[int] = set()
        try:
            notes: dict[str, Any] = json.loads(place.read(self._name))
            self._at, self._deaths, self.crashed = notes["at"], notes["deaths"] + 1, set(notes["crashed"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):  # none, or damaged ones: they are begun anew
            return
        if self._deaths >= MOST_DEATHS:
            self.crashed.add(self._at)
            self._at, self._deaths = -1, 0

    def begin(self, picture: int) -> None:
        """Note that a picture is begun. picture: its place in the shard."""
        deaths = self._deaths if picture == self._at else 0
        notes = {"at": picture, "deaths": deaths, "crashed": sorted(self.crashed)}
        self._place.write(self._name, json.dumps(notes).encode())

    def close(self) -> None:
        """Remove the notes: the shard is done."""
        self._place.remove(self._name)
