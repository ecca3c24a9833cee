"""A film's faces as they were tracked: where each was seen, and who it is; what a film is covered by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from facecli.errors import UsageError
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


@dataclass(frozen=True, slots=True)
class Chosen:
    """The people to cover: all; or `only` these; or all `but` these. In doubt a face is covered.

    Raises UsageError if both are named.
    """

    only: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.only and self.but:
            raise UsageError(
                "{only} and {except} exclude each other", hint="give one of them", about=("only", "except")
            )

    @property
    def everybody(self) -> bool:
        """True if no name matters."""
        return not (self.only or self.but)

    def covers(self, words: frozenset[str]) -> bool:
        """Return whether to cover a face that goes by these words: names and numbers of tracks."""
        if self.only:
            return bool(words & self.only)
        names = {word for word in words if not word.startswith("#")}
        # A track that is two people by its joins is left alone only if both are to be.
        return not (words & self.but) or bool(names - self.but and names & self.but)

    def refuse_unknown(self, known: Iterable[str], place: str) -> None:
        """Raise UsageError for a name that nobody has: a mistyped one would leave or cover the wrong faces.

        known: all names. place: where they stand.
        """
        known = set(known)
        for setting, names in (("only", self.only), ("except", self.but)):
            if missing := sorted(names - known):
                message = f"{{{setting}}} {missing[0]}: nobody in {place} has this name"
                raise UsageError(message, hint=_there_is(sorted(known)), about=setting)


def _there_is(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"there is {', '.join(names[:5])}{more}" if names else "it has no names"
