"""Doubts about tracks whose faces met or were hidden."""

from __future__ import annotations

import numpy as np

from facecli.tracking.doubts import Doubts
from facecli.types import Tracked

LEFT, NEAR, RIGHT = (0, 0, 10, 10), (5, 0, 15, 10), (50, 0, 60, 10)


def step(doubts, time, seen, lost=()):
    """One frame with the boxes of tracks 1, 2, ... in `seen`, and those of the next ones in `lost`."""
    boxes = [np.array(rows, np.float32).reshape(-1, 4) for rows in (seen, lost)]
    ids = np.arange(1, len(seen) + len(lost) + 1)
    known = Tracked(ids[: len(seen)], boxes[0], np.ones(len(seen), bool), ids[len(seen) :], boxes[1])
    doubts.note(boxes[0], known, time)


def test_faces_that_met_are_in_doubt_until_they_were_apart_for_a_while():
    doubts = Doubts()
    step(doubts, 0.0, [LEFT, RIGHT])
    assert doubts.about(1) is None
    for time in (0.04, 0.08):
        step(doubts, time, [LEFT, NEAR])
    assert (doubts.about(1).since, doubts.about(2).since) == (0.04, 0.04)
    for time in (0.12, 0.16, 0.2, 0.24):
        step(doubts, time, [LEFT, RIGHT])
        assert not doubts.about(1).passes(time)
    assert doubts.about(1).passes(0.30)
    assert doubts.about(1).due(0.25)
    assert not doubts.about(1).due(0.20)
    doubts.settle(1)
    assert doubts.about(1) is None
    assert doubts.about(2).since == 0.04


def test_a_face_near_the_place_of_a_lost_one_is_in_doubt():
    doubts = Doubts()
    step(doubts, 0.0, [LEFT, RIGHT])
    step(doubts, 0.04, [LEFT], lost=[NEAR])
    assert doubts.about(1).since == 0.04


def test_a_face_that_was_hidden_is_in_doubt_but_not_one_that_was_missed_once():
    doubts = Doubts()
    step(doubts, 0.0, [LEFT])
    step(doubts, 0.04, [], lost=[LEFT])
    step(doubts, 0.08, [LEFT])
    assert doubts.about(1) is None
    step(doubts, 0.2, [], lost=[LEFT])
    step(doubts, 0.4, [LEFT])
    assert doubts.about(1).since == 0.4
    step(doubts, 0.44, [])  # the track is over
    assert doubts.about(1) is None


def test_few_frames_a_second_are_no_doubt():
    doubts = Doubts()
    for time in (0.0, 0.25, 0.5, 1.2):
        step(doubts, time, [LEFT])
        assert doubts.about(1) is None
