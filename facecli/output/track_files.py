"""The files that a tracked film leaves: an annotated copy, crops of its people, and boxes in MOTChallenge's form."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from facecli.film import writing
from facecli.film.address import Address
from facecli.film.frame import FilmFacts
from facecli.output.file_names import FileNames
from facecli.output.marks import FONT, GREEN, GREY, WHITE
from facecli.pictures import codec
from facecli.system.files import make_folder, write_bytes
from facecli.tracking.events import (
    Event,
    FrameSeen,
    SeenFace,
    TrackAttribute,
    TrackEnded,
    TrackIdentified,
    TrackJoined,
)
from facecli.types import UInt8Array

UNKNOWN = "unknown"  # the folder of crops of those whom nobody knows
COLOURS = 12  # that tracks without a name are told apart by


class AnnotatedFilm:
    """A copy of a film with its tracks drawn. As a context manager: the file appears if the block ends well."""

    def __init__(self, target: Path, facts: FilmFacts, codec_name: str | None, sound: Address | None) -> None:
        self._facts, self._stack = facts, ExitStack()
        self._labels: dict[int, str] = {}
        self._moods: dict[int, str] = {}
        self._begin: float | None = None
        self._sound = sound
        path, form = self._stack.enter_context(writing.written(target))
        self._film = writing.FilmWriter(path, form, (facts.width, facts.height), facts.rate, codec_name)

    def take(self, event: Event) -> None:
        """Draw a frame, and keep what its labels say."""
        if isinstance(event, TrackIdentified):
            self._labels[event.track] = event.answer.person or ""
        elif isinstance(event, TrackAttribute):
            self._moods[event.track] = event.label
        elif isinstance(event, FrameSeen):
            if self._begin is None:
                self._begin = event.time
                if self._sound is not None and self._facts.sound:
                    self._film.copy_sound(self._sound, event.time)
            self._film.write(self._drawn(event), event.time - self._begin)

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

    def _drawn(self, event: FrameSeen) -> UInt8Array:
        canvas = np.ascontiguousarray(event.pixels.copy())
        for face in event.faces:
            name = self._labels.get(face.track)
            words = [name or f"#{face.track}", self._moods.get(face.track, "")]
            _draw(canvas, face, " ".join(filter(None, words)), named=bool(name))
        return canvas


class Crops:
    """The best face of each track as FOLDER/NAME/FILM-tTRACK-FRAME.jpg; of nobody known in FOLDER/unknown."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._folder, self._names = folder, FileNames()
        self._stems: dict[str, str] = {}

    def write(self, event: TrackEnded) -> list[str]:
        """Write the crop of a track that ended; return its path."""
        known = event.answer.person if event.answer is not None else None
        folder = self._folder / (safe(known) if known else UNKNOWN)
        make_folder(folder)
        if event.source not in self._stems:
            self._stems[event.source] = safe(self._names.take(event.source))
        path = folder / f"{self._stems[event.source]}-t{event.track}-{event.best.frame}.jpg"
        write_bytes(path, codec.encode(event.best.pixels, ".jpg"), parents=False)
        return [str(path)]


class Mot:
    """The boxes of a film as lines of MOTChallenge: frame, id, left, top, width, height, score, -1, -1, -1.

    Frames count from 1. The ids are those of people: a track that was joined has the id of the first one.
    """

    def __init__(self) -> None:
        self._frames, self._boxes, self._into = array("q"), array("f"), dict[int, int]()

    def take(self, event: Event) -> None:
        """Keep the boxes of a frame, and who was joined."""
        if isinstance(event, FrameSeen):
            for face in event.faces:
                self._frames.extend((event.frame + 1, face.track))
                self._boxes.extend((*face.bbox.tolist(), face.score))
        elif isinstance(event, TrackJoined):
            self._into[event.track] = event.into

    def write(self, path: Path) -> None:
        """Write the file."""
        write_bytes(path, "".join(self._lines()).encode(), parents=False)

    def _lines(self) -> Iterable[str]:
        for row in range(len(self._frames) // 2):
            frame, track = self._frames[2 * row], self._frames[2 * row + 1]
            x1, y1, x2, y2, score = self._boxes[5 * row : 5 * row + 5]
            place = f"{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
            yield f"{frame},{self._into.get(track, track)},{place},{score:.4f},-1,-1,-1\n"


def safe(name: str) -> str:
    """Return a name as one part of a path."""
    plain = re.sub(r"[^\w .,+-]", "_", unicodedata.normalize("NFC", name)).strip(" .")
    return plain[:80] or "_"


def _draw(canvas: UInt8Array, face: SeenFace, label: str, *, named: bool) -> None:
    height, width = canvas.shape[:2]
    x1, y1, x2, y2 = (round(float(v)) for v in np.clip(face.bbox, -width - height, width + height))
    unit = max(height, width) / 640
    colour = GREEN if named else GREY if not face.confirmed else _colour(face.track)
    cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, max(1, round(1.5 * unit)))
    size, thickness = max(0.35 * unit, 0.35), max(1, round(0.7 * unit))
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    (wide, high), base = cv2.getTextSize(plain, FONT, size, thickness)
    left, bottom = min(max(x1, 0), max(width - wide, 0)), max(y1, high + base)
    cv2.rectangle(canvas, (left, bottom - high - base), (left + wide, bottom), colour, cv2.FILLED)
    cv2.putText(canvas, plain, (left, bottom - base // 2), FONT, size, WHITE, thickness, cv2.LINE_AA)


def _colour(track: int) -> tuple[int, int, int]:
    hue = track * 7 % COLOURS * (180 // COLOURS)
    red, green, blue = cv2.cvtColor(np.array([[[hue, 200, 170]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0].tolist()
    return red, green, blue
