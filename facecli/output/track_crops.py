"""The best faces of a film's tracks as files, in a folder for each person."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from facecli.output.file_names import FileNames
from facecli.pictures import codec
from facecli.system.files import make_folder, write_bytes
from facecli.system.portable_names import PortableNames
from facecli.tracking.events import Event, StreamStarted, TrackEnded, TrackJoined
from facecli.tracking.river import MOST_JOINED

UNKNOWN = "unknown"  # the folder of crops of those whom nobody knows


@dataclass(slots=True)
class _Tracks:
    """The tracks of one film: whose each is, if somebody knew, its files, and the track that it was joined into."""

    people: dict[int, str | None] = field(default_factory=dict)
    paths: dict[int, list[Path]] = field(default_factory=dict)
    into: dict[int, int] = field(default_factory=dict)


class Crops:
    """The best faces of each track as FOLDER/NAME/FILM-tTRACK-FRAME.jpg; of nobody known in FOLDER/unknown.

    A live source counts its tracks anew whenever it is followed, so its FILM ends with the time of the begin, in UTC:
    what was kept of it earlier stays. sources: the names of all films, in order. Films may be followed at one time, by
    several threads.
    """

    def __init__(self, folder: Path, sources: Sequence[str]) -> None:
        names, films = FileNames(), PortableNames()
        self._folder, self._people = folder, PortableNames(UNKNOWN)
        self._stems = {source: films.of(names.take(source)) for source in sources}
        self._tracks: dict[str, _Tracks] = {}
        self._lock = threading.Lock()

    def take(self, event: Event) -> list[str]:
        """Write the crops of a track that ended, and keep who was joined; return the new files, best first."""
        with self._lock:
            if isinstance(event, StreamStarted) and event.facts.began is not None:
                self._stems[event.facts.source] += f"-{_moment(event.facts.began)}"
            if isinstance(event, TrackEnded):
                return [*map(str, self._write(event))]
            if isinstance(event, TrackJoined):
                self._tracks[event.source].into[event.track] = event.into
        return []

    def settle(self, source: str) -> dict[str, str]:
        """Move the crops of nobody known, where their track was joined with that of a person; return old -> new."""
        with self._lock:
            tracks = self._tracks.pop(source, _Tracks())
            whose: dict[int, str] = {}
            for track, person in tracks.people.items():
                if person is not None:
                    whose.setdefault(tracks.into.get(track, track), person)
            moved: dict[str, str] = {}
            for track, person in tracks.people.items():
                known = whose.get(tracks.into.get(track, track))
                if person is None and known is not None:
                    folder = self._of(known)
                    for path in tracks.paths[track]:
                        moved[str(path)] = str(path.replace(folder / path.name))
            if moved:
                with suppress(OSError):  # others may be left in it
                    (self._folder / UNKNOWN).rmdir()
        return moved

    def _write(self, event: TrackEnded) -> list[Path]:
        person = event.answer.person if event.answer is not None else None
        folder = self._of(person)
        looks = (event.best, *event.further)
        paths = [folder / f"{self._stems[event.source]}-t{event.track}-{look.frame}.jpg" for look in looks]
        for look, path in zip(looks, paths, strict=True):
            write_bytes(path, codec.encode(look.pixels, ".jpg"), parents=False)
        self._keep(event, person, paths)
        return paths

    def _keep(self, event: TrackEnded, person: str | None, paths: list[Path]) -> None:
        tracks = self._tracks.setdefault(event.source, _Tracks())
        tracks.people[event.track], tracks.paths[event.track] = person, paths
        while len(tracks.people) > MOST_JOINED:  # of a camera; earlier ones are not joined any more
            first = next(iter(tracks.people))
            del tracks.people[first], tracks.paths[first]

    def _of(self, person: str | None) -> Path:
        """Return the folder of a person, which is there then."""
        folder = self._folder / (UNKNOWN if person is None else self._people.of(person))
        for one in (self._folder, folder):
            make_folder(one)
        return folder


def _moment(seconds: float) -> str:
    """Return seconds since 1970 as a part of a file's name, to the millisecond: 20261129T181530.250Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03}Z"
