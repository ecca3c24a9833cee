"""Attributes are averaged over a window, and told when another label has led for a while."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facecli.pipeline.results import AttributeRows
from facecli.tracking.moods import HOLD, PERIOD, Moods

LABELS = ("angry", "happy")


class Stages:
    """Sees in a look how happy it is."""

    def describe(self, results: Sequence[float]) -> list[Any]:
        rows = (np.array([[1 - happy, happy]], np.float32) for happy in results)
        return [SimpleNamespace(attributes=(AttributeRows("emotion", LABELS, 0.0, row),)) for row in rows]


def told(moods: Moods, happiness: Sequence[float]) -> list[tuple[float, str, int]]:
    """Let a track be so happy in each frame, 25 a second; return time, label and samples of what is told."""
    found = []
    for frame, happy in enumerate(happiness):
        if moods.due(1, frame / 25):
            face: Any = SimpleNamespace(time=frame / 25, result=happy)
            found += moods.step([(1, face)])
    return [(event.time, event.label, event.samples) for event in found]


def moods(window: float) -> Moods:
    stages: Any = Stages()
    return Moods(stages, "f", window)


def test_a_label_is_told_once_it_has_led_for_a_while() -> None:
    ((time, label, samples),) = told(moods(1.0), [0.9] * 100)
    assert (label, samples) == ("happy", 4)
    assert HOLD <= time <= HOLD + 2 * PERIOD


def test_what_flickers_is_not_told_and_what_lasts_is() -> None:
    flicker = [0.9] * 50 + ([0.2] * 5 + [0.9] * 20) * 3
    assert [label for _, label, _ in told(moods(1.0), flicker)] == ["happy"]
    changed = told(moods(1.0), [0.9] * 50 + [0.1] * 50)
    assert [label for _, label, _ in changed] == ["happy", "angry"]
    # The window's mean turns after half of it, and has to hold then.
    assert 2 + 0.5 + HOLD <= changed[1][0] <= 2 + 1 + HOLD + PERIOD


def test_a_longer_window_turns_later() -> None:
    short, long = (told(moods(window), [0.9] * 100 + [0.1] * 150)[1][0] for window in (0.5, 3.0))
    assert long - short > 1


def test_the_end_has_the_mean_of_all() -> None:
    one = moods(1.0)
    told(one, [0.9] * 50 + [0.1] * 50)
    assert one.end(1)["emotion"]["happy"] == pytest.approx(0.5, abs=0.05)
    assert one.end(1) == {}
