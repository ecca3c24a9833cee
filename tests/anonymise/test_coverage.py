"""Gaps of a track are filled, its ends continued, and nobody else's frames touched."""

from __future__ import annotations

import numpy as np

from facecli.anonymise.analysis import Analysis, Sight
from facecli.anonymise.choice import Chosen
from facecli.anonymise.coverage import HOLD, covers


def analysis_of(seen: dict[int, tuple[float, ...]], frames: int = 60, rate: float = 25) -> Analysis:
    """The analysis of one track: frame -> left edge of a box of 40 px."""
    analysis = Analysis()
    for number in range(frames):
        box = None if number not in seen else np.array([seen[number], 10, seen[number] + 40, 50], np.float32)
        analysis.add(number / rate, [] if box is None else [(1, Sight(number, box, 0.9))])
    return analysis


def test_a_gap_is_filled_along_the_way():
    frames = covers(analysis_of({20: 100, 30: 200}), [1])
    (box,) = frames[25]
    assert box[0] <= 150
    assert box[2] >= 190
    assert box[2] - box[0] < 80


def test_ends_are_continued_and_grow():
    frames = covers(analysis_of({20: 100, 21: 100}), [1])
    there = [number for number, boxes in enumerate(frames) if boxes]
    reach = int(HOLD * 25)
    assert there == [*range(20 - reach, 22 + reach)]
    assert frames[there[0]][0][0] < frames[20][0][0]


def test_a_track_at_the_begin_of_a_film_and_frames_of_any_rate():
    for rate in (1.0, 24.0, 240.0):
        frames = covers(analysis_of({0: 0, 1: 1, 59: 3}, rate=rate), [1])
        assert all(len(boxes) == 1 for boxes in frames)


def test_in_doubt_a_face_is_covered():
    analysis = analysis_of({1: 1})
    analysis.tracks[2] = analysis.tracks[1]
    analysis.into[2] = 1
    analysis.names.update({1: frozenset({"Ada"}), 2: frozenset({"Bob"})})
    words = analysis.people()[2]
    assert words == {"#1", "#2", "Ada", "Bob"}
    assert Chosen(only=frozenset({"Ada"})).covers(words)
    assert Chosen(but=frozenset({"Ada"})).covers(words)
    assert not Chosen(but=frozenset({"Ada", "Bob"})).covers(words)
    assert not Chosen(but=frozenset({"#2"})).covers(frozenset({"#2", "Ada"}))
    assert Chosen().covers(frozenset())
