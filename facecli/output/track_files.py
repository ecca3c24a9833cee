"""The files that a tracked film leaves beside its annotated copy: crops of its people, boxes in MOTChallenge's form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from facecli.output.file_names import FileNames
from facecli.output.sightings import Sightings
from facecli.pictures import codec
from facecli.system.files import make_folder, write_bytes
from facecli.system.portable_names import PortableNames
from facecli.tracking.events import Event, TrackEnded

UNKNOWN = "unknown"  # the folder of crops of those whom nobody knows


class Crops:
    """The best faces of each track as FOLDER/NAME/FILM-tTRACK-FRAME.jpg; of nobody known in FOLDER/unknown."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._folder, self._names = folder, FileNames()
        self._people, self._films = PortableNames(UNKNOWN), PortableNames()
        self._stems: dict[str, str] = {}

    def write(self, event: TrackEnded) -> list[str]:
        """Write the crops of a track that ended; return their paths, best first."""
        known = event.answer.person if event.answer is not None else None
        folder = self._folder / (self._people.of(known) if known else UNKNOWN)
        make_folder(folder)
        if event.source not in self._stems:
            self._stems[event.source] = self._films.of(self._names.take(event.source))
        looks = (event.best, *event.further)
        paths = [folder / f"{self._stems[event.source]}-t{event.track}-{look.frame}.jpg" for look in looks]
        for look, path in zip(looks, paths, strict=True):
            write_bytes(path, codec.encode(look.pixels, ".jpg"), parents=False)
        return [*map(str, paths)]


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
            for face in faces:
                x1, y1, x2, y2 = face.bbox.tolist()
                place = f"{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
                yield f"{number},{self._seen.person(face.track)},{place},{face.score:.4f},-1,-1,-1\n"
