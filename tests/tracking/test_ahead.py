"""Frames whose faces are found side by side, and are told one after the other."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from facecli.errors import DecodeError, ModelError
from facecli.film.frame import Frame
from facecli.pipeline.flow import Stopwatch
from facecli.tracking.ahead import found_ahead
from facecli.types import Detections, Image

COUNT = 12


def _frames(*, breaks_at=None):
    for number in range(COUNT):
        if number == breaks_at:
            raise DecodeError("cut off")
        yield Frame(Image(np.full((4, 4, 3), number, np.uint8), "film.mp4"), number, number / 25)


def _faces(number):
    return Detections(np.array([[number, 0, number + 1, 1]], np.float32), np.ones(1, np.float32), None, None)


class Finding:
    """Sees a face whose place is the frame's number; two frames have to be shown at once where `pairs` is asked."""

    each = True

    def __init__(self, *, pairs=False, fails_at=None):
        self.meeting = threading.Barrier(2, timeout=20) if pairs else None
        self.fails_at, self.threads = fails_at, set()

    def find(self, image):
        number = int(image.pixels[0, 0, 0])
        self.threads.add(threading.current_thread())
        if self.meeting is not None:
            self.meeting.wait()
        if number == self.fails_at:
            raise ModelError("no")
        return _faces(number), True


def _numbers(found):
    return [(one.frame.number, int(one.faces.bboxes[0, 0])) for one in found]


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_each_frame_has_its_own_faces_in_order(jobs):
    finding = Finding(pairs=jobs == 2)
    assert _numbers(found_ahead(_frames(), finding, Stopwatch(), jobs)) == [(n, n) for n in range(COUNT)]
    assert (threading.main_thread() in finding.threads) == (jobs == 1)


@pytest.mark.parametrize("jobs", [1, 3])
def test_what_came_before_a_break_is_told(jobs):
    told = []
    with pytest.raises(DecodeError):
        for one in found_ahead(_frames(breaks_at=7), Finding(), Stopwatch(), jobs):
            told.append(one.frame.number)  # noqa: PERF401 # what an error leaves of it is looked at
    assert told == list(range(7))


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_failure_of_the_detector_comes_in_its_turn(jobs):
    told = []
    with pytest.raises(ModelError):
        for one in found_ahead(_frames(), Finding(fails_at=4), Stopwatch(), jobs):
            told.append(one.frame.number)  # noqa: PERF401 # what an error leaves of it is looked at
    assert told == [0, 1, 2, 3]


def test_who_stops_early_leaves_no_thread_at_work():
    before, finding = threading.active_count(), Finding()
    found = found_ahead(_frames(), finding, Stopwatch(), 3)
    assert next(found).frame.number == 0
    found.close()
    assert threading.active_count() == before


def test_frames_that_hang_on_those_before_them_are_found_by_one_thread():
    finding = Finding()
    finding.each = False
    assert len(_numbers(found_ahead(_frames(), finding, Stopwatch(), 4))) == COUNT
    assert len(finding.threads) == 1
