"""The kit fails each fault of a tracker by the check that is named for it."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.contract import TrackerPlugin
from facecli.testing import run_checks
from facecli.types import Tracked

NONE = np.zeros(0, np.int64), np.zeros((0, 4), np.float32)


class Fresh:
    """A tracker that takes every detection for a new face: a poor one that keeps the contract."""

    def __init__(self):
        self.next = 1

    def ids(self, count):
        self.next += count
        return np.arange(self.next - count, self.next)

    def update(self, detections, seconds, image):  # noqa: ARG002 # the contract names them
        ids = self.ids(len(detections))
        return Tracked(ids, detections.bboxes, np.ones(len(ids), bool), *NONE)


class Short(Fresh):
    def update(self, detections, seconds, image):  # noqa: ARG002 # the contract names them
        ids = self.ids(len(detections))[1:]
        return Tracked(ids, detections.bboxes[1:], np.ones(len(ids), bool), *NONE)


class Returning(Fresh):
    def ids(self, count):
        self.next = not self.next
        return np.arange(count) + 1000 * self.next


class Overwriting(Fresh):
    kept = np.zeros(1000, np.int64)

    def ids(self, count):
        self.kept[:count] = super().ids(count)
        return self.kept[:count]


class Sharing(Fresh):
    def __init__(self):
        pass

    def ids(self, count):
        Sharing.next += count
        return np.arange(Sharing.next - count, Sharing.next)


class Writing(Fresh):
    def update(self, detections, seconds, image):
        detections.bboxes[:] += 1
        return super().update(detections, seconds, image)


class Wordy(Fresh):
    def update(self, detections, seconds, image):
        return super().update(detections, seconds, image).ids


def failed(tracker):
    plugin = TrackerPlugin("x", "made for a test", lambda *_: tracker)
    return [check.name for check in run_checks(plugin) if not check.passed]


def test_a_tracker_without_fault_passes():
    assert failed(Fresh) == []


@pytest.mark.parametrize(
    ("tracker", "check"),
    [
        (Short, "frames"),
        (Wordy, "frames"),
        (Returning, "endings"),
        (Overwriting, "repeat"),
        (Sharing, "repeat"),
        (Writing, "inputs"),
    ],
)
def test_each_fault_has_its_check(tracker, check):
    Sharing.next = 1
    assert check in failed(tracker)


def test_a_tracker_that_load_does_not_make_is_told():
    assert "load" in failed(lambda: None)
