"""SORT and ByteTrack on boxes."""

from __future__ import annotations

import pytest

from facecli.errors import UsageError
from facecli.testing import check_tracker


@pytest.mark.parametrize("name", ["sort", "bytetrack"])
def test_trackers_keep_the_contract(name):
    check_tracker(name)


@pytest.mark.parametrize("name", ["sort", "bytetrack"])
def test_a_face_keeps_its_id_while_it_moves_and_while_it_is_away(name, tracker, faces):
    one, ids = tracker(name), []
    for t in range(30):
        there = not 12 <= t < 20
        answer = one.update(faces((100 + 4 * t, 80, 160 + 4 * t, 150, 0.9)) if there else faces(), 0.04, None)
        ids.append(answer.ids.tolist())
        if not there:
            assert answer.lost_ids.tolist() == [1]
            assert answer.lost_bboxes[0, 0] == pytest.approx(100 + 4 * t, abs=2)  # it moves on
    assert ids == [[1]] * 12 + [[]] * 8 + [[1]] * 10


@pytest.mark.parametrize("rate", [10, 25, 60])
def test_a_track_lives_as_long_at_any_frame_rate(rate, tracker, faces):
    one = tracker("sort", max_age=0.5)
    one.update(faces((10, 10, 60, 60, 0.9)), 0.0, None)
    lives = 0
    while len(one.update(faces(), 1 / rate, None).lost_ids):
        lives += 1
    assert lives / rate == pytest.approx(0.5, abs=1.01 / rate)


def test_after_a_break_of_the_film_everybody_is_new(tracker, faces):
    one = tracker("sort")
    assert one.update(faces((10, 10, 60, 60, 0.9)), 0.0, None).ids.tolist() == [1]
    assert one.update(faces((10, 10, 60, 60, 0.9)), 30.0, None).ids.tolist() == [2]


def test_sort_keeps_young_tracks_back_but_names_them(tracker, faces):
    one = tracker("sort")
    for _ in range(5):
        one.update(faces(), 0.04, None)
    told = [one.update(faces((10, 10, 60, 60, 0.9)), 0.04, None) for _ in range(5)]
    assert [answer.ids.tolist() for answer in told] == [[1]] * 5
    assert [answer.confirmed.tolist() for answer in told] == [[False]] * 3 + [[True]] * 2


def test_bytetrack_follows_a_face_through_doubtful_frames(tracker, faces):
    """A doubtful detection holds a track and begins none."""
    one = tracker("bytetrack")
    one.update(faces((100, 80, 160, 150, 0.9)), 0.0, None)
    answer = one.update(faces((102, 80, 162, 150, 0.4), (400, 80, 460, 150, 0.35)), 0.04, None)
    assert answer.ids.tolist() == [1, 2]
    answer = one.update(faces((104, 80, 164, 150, 0.4), (400, 80, 460, 150, 0.35)), 0.04, None)
    assert answer.ids.tolist() == [1, 3]


@pytest.mark.parametrize(("name", "value"), [("max_age", 0.0), ("min_hits", 1.5), ("min_iou", 1.2)])
def test_parameters_that_can_not_be_are_refused(name, value, tracker):
    with pytest.raises(UsageError, match=f"sort.{name} must"):
        tracker("sort", **{name: value})
