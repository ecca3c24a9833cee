"""Tracklets joined by their faces."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from facecli.matching.metrics import pairwise
from facecli.tracking.joining import Likeness, Member, joins

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


def test_strangers_stay_apart():
    assert joins([member(n, 10 * n, 10 * n + 5, n) for n in range(5)], LIKENESS) == []


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_is_joined_with_nobody(count):
    assert joins([member(1, 0, 10, 0)][:count], LIKENESS) == []
