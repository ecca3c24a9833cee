"""A name is told when it won twice in a row, revised in the open, and asked for seldom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from facecli.gallery.decision import Identification
from facecli.pipeline.results import ImageResult
from facecli.tracking.looks import Look, Looks
from facecli.tracking.naming import MOST_TRIES, Naming
from facecli.tracking.tracklet import Tracklet

BOX = np.array([0, 0, 9, 9], np.float32)


class Recognizing:
    """Sees in a look the person whose number it was made with."""

    def __init__(self) -> None:
        self.embedded = 0

    def embed(self, pairs: Sequence[tuple[Tracklet, Any]]) -> None:
        for one, look in pairs:
            one.embeddings[look.frame] = np.eye(3, dtype=np.float32)[int(look.bbox[0])]
            self.embedded += 1

    def embed_all(self, tracklets: Sequence[Tracklet]) -> None:
        self.embed([(one, look) for one in tracklets for look in one.new_looks])


def identify(mean: np.ndarray) -> Identification:
    """Ada, Bob, or nobody: the nearest."""
    person = ("Ada", "Bob", None)[int(mean.argmax())]
    return Identification(person, "known" if person else "unknown", (), None, None)


def look(frame: int, person: int, quality: float) -> Look:
    return Look(ImageResult("f"), frame, frame / 25, BOX + np.float32(person), quality)


def told(people: Sequence[int]) -> tuple[list[tuple[float, str | None, str | None]], Recognizing]:
    """Let each frame of a track, 25 a second, show a person, ever better; return time, name and the name before."""
    recognizing: Any = Recognizing()
    naming = Naming(recognizing, identify, "f")
    one = Tracklet(1, 0, 0.0, Looks(3), np.zeros(4), np.zeros(4))
    found = []
    for frame, person in enumerate(people):
        one.last_frame, one.last_time = frame, frame / 25
        if one.looks.wants(frame + 1.0, frame / 25):
            one.looks.add(look(frame, person, frame + 1.0))
        found += naming.step([one], frame, frame / 25)
    found += naming.end(one)
    return [(event.time, event.answer.person, event.replaces) for event in found], recognizing


def test_a_name_is_told_once_it_won_twice() -> None:
    events, recognizing = told([0] * 100)
    assert [event[1:] for event in events] == [("Ada", None)]
    assert 1 / 3 <= events[0][0] < 1
    assert recognizing.embedded < 8


def test_a_name_that_was_wrong_is_revised_in_the_open() -> None:
    events, _ = told([0] * 30 + [1] * 200)
    assert [event[1:] for event in events] == [("Ada", None), ("Bob", "Ada")]


def test_somebody_unknown_is_not_asked_about_for_ever() -> None:
    events, recognizing = told([2] * 1000)
    assert events == []
    assert recognizing.embedded <= MOST_TRIES + 3
