"""Tracklets joined by their faces."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from facecli.matching.metrics import pairwise
from facecli.tracking.joining import Likeness, Member, Place, joins

LIKENESS = Likeness(partial(pairwise, metric="cosine"), 0.4)


def member(number, first, last, person, faces=3):
    """A tracklet of one of some people whose faces are far apart."""
    rng = np.random.default_rng(number)
    row = np.eye(8)[person] + rng.normal(0, 0.05, 8)
    return Member(number, first, last, row.astype(np.float32), faces)


def test_tracklets_of_one_person_are_joined_into_the_first():
    members = [member(1, 0, 10, 0), member(2, 0, 30, 1), member(3, 15, 20, 0), member(4, 25, 40, 0, faces=1)]
    found = joins(members, LIKENESS)
    assert {(one.number, one.into) for one in found} == {(3, 1), (4, 1)}
    assert all(one.distance < 0.1 for one in found)


def test_two_that_are_seen_at_one_time_are_never_joined():
    """Not through a third one either."""
    members = [member(1, 0, 10, 0), member(2, 5, 15, 0), member(3, 20, 30, 0)]
    found = joins(members, LIKENESS)
    assert len(found) == 1
    assert found[0].number == 3


def overlapping(*, frames, lives=(60, 60), turned=0.0, rate=25.0):
    """Two tracklets, the later of which begins so many frames before the end of the first."""
    box, (one, other) = np.array([100, 100, 140, 140.0]), lives
    faces = np.array([[1, 0], [np.cos(turned), np.sin(turned)]], np.float32)
    spans = (0, one - 1), (one - frames, one - frames + other - 1)
    return [
        Member(number, *span, faces[number - 1], 3, *(Place(frame / rate, box) for frame in span))
        for number, span in enumerate(spans, start=1)
    ]


@pytest.mark.parametrize(
    ("how", "joined"),
    [
        ({"frames": 8}, True),
        ({"frames": 20}, False),
        ({"frames": 20, "rate": 50.0}, True),
        ({"frames": 2, "rate": 1.0}, False),
        ({"frames": 8, "lives": (60, 16)}, True),
        ({"frames": 8, "lives": (60, 15)}, False),
        ({"frames": 8, "turned": np.arccos(1 - 0.31)}, True),  # of the threshold's 0.4
        ({"frames": 8, "turned": np.arccos(1 - 0.33)}, False),
        ({"frames": 0, "turned": np.arccos(1 - 0.33)}, True),
    ],
)
def test_tracklets_of_clearly_one_person_may_overlap_for_a_moment(how, joined):
    """Where two people meet a tracker gives the one's track to the other for some frames."""
    assert len(joins(overlapping(**how), LIKENESS)) == joined


def test_strangers_stay_apart():
    assert joins([member(n, 10 * n, 10 * n + 5, n) for n in range(5)], LIKENESS) == []


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_is_joined_with_nobody(count):
    assert joins([member(1, 0, 10, 0)][:count], LIKENESS) == []


def half_hidden(*, turned, pause, right, width=40):
    """A face that is lost at (100, 100), 40 px wide, and one that is found later, so many px to the right."""
    box, found = np.array([100, 100, 140, 140.0]), np.array([100 + right, 100, 100 + right + width, 100 + width])
    faces = np.array([[1, 0], [np.cos(turned), np.sin(turned)]], np.float32)
    first = Member(1, 0, 10, faces[0], 3, Place(0.0, box), Place(0.4, box))
    return [first, Member(2, 20, 30, faces[1], 3, Place(0.4 + pause, found), Place(1.2 + pause, found))]


@pytest.mark.parametrize(
    ("where", "joined"),
    [
        ({"pause": 0.4, "right": 60}, True),
        ({"pause": 1.9, "right": 300}, True),
        ({"pause": 0.4, "right": 300}, False),
        ({"pause": 2.1, "right": 0}, False),
        ({"pause": 0.4, "right": 0, "width": 70}, False),
    ],
)
def test_of_a_face_that_is_found_again_soon_and_near_more_is_forgiven(where, joined):
    far = np.arccos(1 - 0.45)  # of the threshold's 0.4
    assert len(joins(half_hidden(turned=far, **where), LIKENESS)) == joined
    if joined:
        assert joins(half_hidden(turned=far, **where), LIKENESS)[0].distance == pytest.approx(0.45, abs=1e-5)


def test_who_is_clearly_somebody_else_is_joined_nowhere():
    assert joins(half_hidden(turned=np.arccos(1 - 0.52), pause=0.1, right=0), LIKENESS) == []
