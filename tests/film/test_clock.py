"""The clock of a film, where the times that it states go on, stand still, are missing, or begin anew."""

from __future__ import annotations

import pytest

from facecli.film.clock import LEAST, Clock


def told(*stated: float | None) -> list[float]:
    """The times of frames that state these, at 25 a second."""
    clock = Clock(0.04)
    return [clock.at(one) for one in stated]


def test_times_that_ascend_are_left_as_they_are():
    assert told(0.5, 0.51, 3.0, 3.04) == [0.5, 0.51, 3.0, 3.04]


def test_a_clock_that_begins_anew_goes_on():
    assert told(0.0, 0.04, 0.08, 0.0, 0.04, 0.1) == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16, 0.22])


def test_two_frames_of_one_time_are_told_apart_and_the_next_has_its_own():
    assert told(0.0, 0.04, 0.04, 0.03, 0.12) == pytest.approx([0.0, 0.04, 0.04 + LEAST, 0.04 + 2 * LEAST, 0.12])


def test_frames_without_a_time_follow_at_the_films_rate():
    assert told(None, None, 0.2, None) == pytest.approx([0.0, 0.04, 0.2, 0.24])
