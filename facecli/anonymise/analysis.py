"""A film's faces as they were tracked: where each was seen, and who it is; what a film is covered by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from facecli.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A face in one frame.

    frame: its number. bbox: (4,) float32 xyxy px of the upright frame. score: the detector's. landmarks: (5, 2) float32
    xy px, or None.
    """

    frame: int
    bbox: FloatArray
    score: float
    landmarks: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """All faces of one film.

    times: of each frame, seconds. tracks: number -> its sights, in order. into: a track that is the same person as an
    earlier one -> that one. names: of tracks that somebody knows, or may be.
    """

    times: list[float] = field(default_factory=list)
    tracks: dict[int, list[Sight]] = field(default_factory=dict)
    into: dict[int, int] = field(default_factory=dict)
    names: dict[int, frozenset[str]] = field(default_factory=dict)

    def add(self, time: float, sights: Iterable[tuple[int, Sight]]) -> None:
        """Take the next frame with its faces, each with the number of its track."""
        self.times.append(time)
        for track, sight in sights:
            self.tracks.setdefault(track, []).append(sight)

    def people(self) -> dict[int, frozenset[str]]:
        """Return the words that each track goes by: the names of its person, and #N of all tracks of that person."""
        words: dict[int, set[str]] = {}
        for track in self.tracks:
            first = self.into.get(track, track)
            words.setdefault(first, set()).update({f"#{track}", f"#{first}", *self.names.get(track, ())})
        return {track: frozenset(words[self.into.get(track, track)]) for track in self.tracks}
