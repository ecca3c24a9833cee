"""An annotated copy of a film: each face with its box, and the name or the number of its person.

A live source is drawn as it goes on, with what is known by then. A film is drawn when it was followed to its end, in a
second reading: its boxes have the names and the joined numbers that its document has, from the first frame on.
"""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facecli.film import writing
from facecli.film.address import Address
from facecli.film.frame import FilmFacts, Frame
from facecli.output.marks import FONT, GREEN, GREY, WHITE
from facecli.output.sightings import Sightings
from facecli.tracking.events import Event, FrameSeen, SeenFace, TrackAttribute, TrackEnded, TrackIdentified
from facecli.types import UInt8Array

COLOURS = 12  # that people without a name are told apart by


@dataclass(frozen=True, slots=True)
class Label:
    """The label of a face. person: the number of the person. name: None if nobody knows. mood: or nothing."""

    person: int
    name: str | None = None
    mood: str = ""

    @property
    def text(self) -> str:
        """The words that are written."""
        return f"{self.name or f'#{self.person}'} {self.mood}".strip()


class AnnotatedFilm:
    """A copy of a film that is being drawn. As a context manager: the file appears if the block ends well."""

    def __init__(self, target: Path, facts: FilmFacts, codec_name: str | None, sound: Address | None) -> None:
        self._facts, self._stack, self._sound = facts, ExitStack(), sound
        self._begin: float | None = None
        path, form = self._stack.enter_context(writing.written(target))
        self._film = writing.FilmWriter(path, form, (facts.width, facts.height), facts.rate, codec_name)
        self._film.show_as(facts.display)

    def write(self, pixels: UInt8Array, time: float, faces: Iterable[tuple[SeenFace, Label]]) -> None:
        """Write a frame with its faces drawn. pixels: (H, W, 3) uint8 RGB, left as they are. time: seconds."""
        if self._begin is None:
            self._begin = time
            if self._sound is not None and self._facts.sound:
                self._film.copy_sound(self._sound, time)
        canvas = np.ascontiguousarray(pixels.copy())
        for face, label in faces:
            _draw(canvas, face, label)
        self._film.write(canvas, time - self._begin)

    def __enter__(self) -> AnnotatedFilm:
        return self

    def __exit__(self, *failure: object) -> None:
        try:
            if failure[0] is None and self._begin is not None:
                self._film.finish()
            else:
                self._film.close()
        finally:
            self._stack.__exit__(*failure)  # type: ignore[arg-type] # what Python hands over


class AsItGoes:
    """Draws over a live source: names and moods as they are known by then."""

    def __init__(self, copy: AnnotatedFilm) -> None:
        self._copy = copy
        self._names: dict[int, str | None] = {}
        self._moods: dict[int, str] = {}

    def take(self, event: Event) -> None:
        """Draw a frame, and keep what its labels say."""
        if isinstance(event, TrackIdentified):
            self._names[event.track] = event.answer.person
        elif isinstance(event, TrackAttribute):
            self._moods[event.track] = event.label
        elif isinstance(event, FrameSeen):
            labels = ((face, self._label(face.track)) for face in event.faces)
            self._copy.write(event.pixels, event.time, labels)

    def _label(self, track: int) -> Label:
        return Label(track, self._names.get(track), self._moods.get(track, ""))


class Afterwards:
    """Draws over a film once it was followed to its end: who everybody was, and moods as they changed."""

    def __init__(self) -> None:
        self._seen = Sightings()
        self._names: dict[int, str] = {}
        self._moods: list[tuple[int, int, str]] = []  # frame, track, and its mood from then on

    def take(self, event: Event) -> None:
        """Keep what a frame has, and who a track was."""
        self._seen.take(event)
        if isinstance(event, TrackAttribute):
            self._moods.append((len(self._seen), event.track, event.label))
        elif isinstance(event, TrackEnded) and event.answer is not None and event.answer.person is not None:
            self._names[event.track] = event.answer.person

    def __len__(self) -> int:
        """Return how many frames there are to draw."""
        return len(self._seen)

    def draw(self, copy: AnnotatedFilm, frames: Iterable[Frame]) -> None:
        """Draw the frames of the film, which is read once more."""
        label = self._labels()
        # The frames come last: none is read beyond those that were followed, where a damaged film breaks off.
        for faces, frame in zip(self._seen.frames(), frames, strict=False):
            copy.write(frame.image.pixels, frame.time, label(faces))

    def _labels(self) -> Callable[[Sequence[SeenFace]], Iterator[tuple[SeenFace, Label]]]:
        """Return what gives the labels of the faces of each next frame."""
        people = {self._seen.person(track): name for track, name in reversed(self._names.items())}
        coming, moods, number = deque(self._moods), dict[int, str](), 0

        def label(faces: Sequence[SeenFace]) -> Iterator[tuple[SeenFace, Label]]:
            nonlocal number
            while coming and coming[0][0] <= number:
                _, track, moods[track] = coming.popleft()
            number += 1
            for face, person in zip(faces, self._seen.people(faces), strict=True):
                name = self._names.get(face.track, people.get(person))
                yield face, Label(person, name, moods.get(face.track, ""))

        return label


def _draw(canvas: UInt8Array, face: SeenFace, label: Label) -> None:
    height, width = canvas.shape[:2]
    x1, y1, x2, y2 = (round(float(v)) for v in np.clip(face.bbox, -width - height, width + height))
    unit = max(height, width) / 640
    colour = GREEN if label.name else GREY if not face.confirmed else _colour(label.person)
    cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, max(1, round(1.5 * unit)))
    size, thickness = max(0.35 * unit, 0.35), max(1, round(0.7 * unit))
    plain = unicodedata.normalize("NFKD", label.text).encode("ascii", "ignore").decode()
    (wide, high), base = cv2.getTextSize(plain, FONT, size, thickness)
    left, bottom = min(max(x1, 0), max(width - wide, 0)), max(y1, high + base)
    cv2.rectangle(canvas, (left, bottom - high - base), (left + wide, bottom), colour, cv2.FILLED)
    cv2.putText(canvas, plain, (left, bottom - base // 2), FONT, size, WHITE, thickness, cv2.LINE_AA)


def _colour(person: int) -> tuple[int, int, int]:
    hue = person * 7 % COLOURS * (180 // COLOURS)
    red, green, blue = cv2.cvtColor(np.array([[[hue, 200, 170]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0].tolist()
    return red, green, blue
