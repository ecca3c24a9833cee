"""The boxes of a tracked film in MOTChallenge's form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from facecli.output.sightings import Sightings
from facecli.system.files import write_bytes
from facecli.tracking.events import Event


class Mot:
    """The boxes of a film as lines of MOTChallenge: frame, id, left, top, width, height, score, -1, -1, -1.

    Frames count from 1. The ids are those of people: a track that was joined has the id of the first one.
    """

    def __init__(self) -> None:
        self._seen = Sightings()

    def take(self, event: Event) -> None:
        """Keep the boxes of a frame, and who was joined."""
        self._seen.take(event)

    def write(self, path: Path) -> None:
        """Write the file."""
        write_bytes(path, "".join(self._lines()).encode(), parents=False)

    def _lines(self) -> Iterator[str]:
        for number, faces in enumerate(self._seen.frames(), start=1):
            for face, person in zip(faces, self._seen.people(faces), strict=True):
                x1, y1, x2, y2 = face.bbox.tolist()
                place = f"{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
                yield f"{number},{person},{place},{face.score:.4f},-1,-1,-1\n"
