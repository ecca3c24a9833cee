"""The boxes of a film in all its frames, kept small until its end tells which tracks were one person."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from facecli.tracking.events import Event, FrameSeen, SeenFace, TrackJoined


class Sightings:
    """The faces of each frame of a film: 29 bytes a face, so that an hour with six faces a frame takes 16 MB."""

    def __init__(self) -> None:
        self._counts, self._tracks = array("I"), array("q")
        self._places, self._confirmed = array("f"), bytearray()
        self._into: dict[int, int] = {}

    def __len__(self) -> int:
        """Return how many frames were taken."""
        return len(self._counts)

    def take(self, event: Event) -> None:
        """Keep the faces of a frame, and who was joined."""
        if isinstance(event, FrameSeen):
            self._counts.append(len(event.faces))
            for face in event.faces:
                self._tracks.append(face.track)
                self._places.extend((*face.bbox.tolist(), face.score))
                self._confirmed.append(face.confirmed)
        elif isinstance(event, TrackJoined):
            self._into[event.track] = event.into

    def person(self, track: int) -> int:
        """Return the number of the person that a track is: the first of all tracks that were joined."""
        return self._into.get(track, track)

    def people(self, faces: Iterable[SeenFace]) -> list[int]:
        """Return the number of each face's person in one frame, where nobody is twice.

        Two tracks of one person may overlap for a moment: the later one has its own number there, as it may be on
        somebody else's face.
        """
        first: dict[int, int] = {}
        for track in sorted(face.track for face in faces):
            first.setdefault(self.person(track), track)
        whose = ((face.track, self.person(face.track)) for face in faces)
        return [person if first[person] == track else track for track, person in whose]

    def frames(self) -> Iterator[list[SeenFace]]:
        """Yield the faces of each frame, without landmarks."""
        first = 0
        for count in self._counts:
            yield [self._face(row) for row in range(first, first + count)]
            first += count

    def _face(self, row: int) -> SeenFace:
        *bbox, score = self._places[5 * row : 5 * row + 5]
        confirmed = bool(self._confirmed[row])
        return SeenFace(self._tracks[row], np.array(bbox, np.float32), score, None, confirmed, filled=False)
