"""What is drawn over a film: at its end everybody is known, and over a live source what is known by then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from facecli.film.frame import Frame
from facecli.gallery.decision import Identification
from facecli.output.annotated_film import Afterwards, AsItGoes
from facecli.tracking.events import (
    BestFace,
    FrameSeen,
    SeenFace,
    TrackAttribute,
    TrackEnded,
    TrackIdentified,
    TrackJoined,
)
from facecli.types import Image

BOX, PIXELS = np.array([1, 2, 30, 40], np.float32), np.zeros((48, 64, 3), np.uint8)
ADA = Identification("Ada", "known", (), None, None)


class Copy:
    """Takes what is drawn, as the words over each frame's faces."""

    def __init__(self) -> None:
        self.words: list[list[str]] = []

    def write(self, _pixels: np.ndarray, time: float, faces: Iterable[Any]) -> None:
        assert time == len(self.words) / 25
        self.words.append([label.text for _, label in faces])


def events() -> list[Any]:
    """Track 1 is seen in the first two frames, track 2 in the last two: Ada again, and happy in the last one."""
    best = BestFace(0, 0.0, BOX, 1.0, PIXELS)

    def frame(number: int, track: int) -> FrameSeen:
        face = SeenFace(track, BOX, 0.9, None, confirmed=True, filled=False)
        return FrameSeen("f.mp4", number, number / 25, (face,), detected=True, pixels=PIXELS)

    def ended(track: int, answer: Identification | None) -> TrackEnded:
        return TrackEnded("f.mp4", track, 3, 0.12, 0, 0.0, 2, best, answer)

    return [
        frame(0, 1),
        TrackIdentified("f.mp4", 1, 1, 0.04, ADA, 2, None),
        frame(1, 1),
        ended(1, ADA),
        frame(2, 2),
        TrackAttribute("f.mp4", 2, 0.12, "emotion", "happy", {"happy": 0.9}, 1.0, 5),
        frame(3, 2),
        ended(2, None),
        TrackJoined("f.mp4", 2, 1, 0.12, 0.3),
    ]


def frames() -> Iterator[Frame]:
    yield from (Frame(Image(PIXELS, "f.mp4"), number, number / 25) for number in range(4))
    raise AssertionError("a film that breaks off is not read beyond what was followed")


def drawn(told: Iterable[Any]) -> list[list[str]]:
    """The words over a film whose events were told before."""
    copy: Any = Copy()
    drawing = Afterwards()
    for event in told:
        drawing.take(event)
    assert len(drawing) == 4
    drawing.draw(copy, frames())
    return copy.words


def test_a_film_shows_who_everybody_was_from_the_first_frame_on() -> None:
    assert drawn(events()) == [["Ada"], ["Ada"], ["Ada"], ["Ada happy"]]


def test_somebody_unknown_has_the_number_of_the_first_track() -> None:
    unnamed = [event for event in events() if not isinstance(event, (TrackIdentified, TrackEnded))]
    assert drawn(unnamed) == [["#1"], ["#1"], ["#1"], ["#1 happy"]]


def test_a_live_source_shows_what_is_known_by_then() -> None:
    copy: Any = Copy()
    drawing = AsItGoes(copy)
    for event in events():
        drawing.take(event)
    assert copy.words == [["#1"], ["Ada"], ["#2"], ["#2 happy"]]
