"""A film's faces as they were tracked: where each was seen, and who it is; what a film is covered by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath

from facecli.film.frame import FilmFacts
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
class Origin:
    """The film that was tracked, as FilmFacts tells it; None where an older document says nothing.

    detector: the plugin that found the faces. min_score: its threshold, None if it has none. left_out: which of the
    faces that it found were not followed, in words, or empty.
    """

    source: str
    width: int | None
    height: int | None
    size: int | None = None
    first_frame: str | None = None
    detector: str | None = None
    min_score: float | None = None
    left_out: str = ""

    def difference(self, facts: FilmFacts) -> str | None:
        """Return in words what tells another film from the one that was tracked, None if nothing does.

        Where the first frame is not known, the film must have the name that it had.
        """
        if (self.width, self.height) != (facts.width, facts.height):
            return f"it has {facts.width} x {facts.height} px"
        if None in (self.first_frame, facts.first_frame):
            own, theirs = (PurePath(name).name for name in (self.source, facts.source))
            return None if own == theirs else f"only {own} is known"
        if self.first_frame != facts.first_frame:
            return "its first frame is another"
        return None if None in (self.size, facts.size) or self.size == facts.size else f"it has {facts.size} bytes"


@dataclass(frozen=True, slots=True)
class Analysis:
    """All faces of one film.

    times: of each frame, seconds. tracks: number -> its sights, in order. into: a track that is the same person as an
    earlier one -> that one. names: of tracks that somebody knows, or may be. origin: the film of a document.
    """

    times: list[float] = field(default_factory=list)
    tracks: dict[int, list[Sight]] = field(default_factory=dict)
    into: dict[int, int] = field(default_factory=dict)
    names: dict[int, frozenset[str]] = field(default_factory=dict)
    origin: Origin | None = None

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
