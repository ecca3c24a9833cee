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


def test_a_lost_face_is_covered_where_it_was_going():
    frames = covers(analysis_of({n: 200 + 4 * n for n in range(20, 31)}), [1])
    for number in (15, 20, 30, 35, 42):
        (box,) = frames[number]
        middle, going = (box[0] + box[2]) / 2, 220 + 4 * number
        assert abs(middle - going) < 0.01
        assert box[2] - box[0] >= 40


def test_a_face_that_something_hides_is_covered_as_large_as_it_was():
    analysis = analysis_of({})
    for number in range(20, 40):
        right = 40 if number < 30 else 20  # a pillar comes over the right half
        analysis.tracks.setdefault(1, []).append(Sight(number, np.array([0, 10, right, 50], np.float32), 0.9))
    frames = covers(analysis, [1])
    widths = {number: frames[number][0][2] - frames[number][0][0] for number in (20, 29, 32, 37)}
    assert widths == {20: 40, 29: 40, 32: 40, 37: 20}


def test_jitter_of_a_short_track_is_no_motion():
    frames = covers(analysis_of({20: 100, 21: 104}), [1])
    (box,) = frames[31]
    assert box[0] < 110
    assert box[2] > 144


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
