"""The figures of a model card are computed right."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.models.training import measure

RNG = np.random.default_rng(0)


def calibrated(count=20_000, temperature=1.0):
    """Probabilities that are right, and labels drawn by them; then made too sure or too unsure."""
    logits = RNG.normal(size=(count, 7)) * 2
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (true.cumsum(1) < RNG.random((count, 1))).sum(1)
    return measure.with_temperature(true, temperature), labels


def test_wilson_as_published():
    # Newcombe 1998, table I, method 3: 81 of 263, and 0 of 20.
    assert measure.wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert measure.wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


def test_calibrated_probabilities_have_no_error_and_need_no_temperature():
    probabilities, labels = calibrated()
    assert measure.calibration_error(probabilities, labels) < 0.015
    assert measure.best_temperature(probabilities, labels) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("wrong", [0.5, 2.0])
def test_the_temperature_that_was_wrong_is_found(wrong):
    probabilities, labels = calibrated(temperature=wrong)
    assert measure.calibration_error(probabilities, labels) > 0.05
    found = measure.best_temperature(probabilities, labels)
    assert found == pytest.approx(1 / wrong, rel=0.05)
    mended = measure.with_temperature(probabilities, found)
    assert measure.calibration_error(mended, labels) < 0.015
    assert (mended.argmax(1) == probabilities.argmax(1)).all()


def test_the_error_is_the_gap_of_confidence_and_accuracy():
    probabilities = np.tile([0.9, 0.1], (10, 1))
    labels = np.array([0] * 6 + [1] * 4)
    assert measure.calibration_error(probabilities, labels) == pytest.approx(0.3)
    (only,) = measure.reliability(probabilities, labels)
    assert (only.count, only.accuracy) == (10, 0.6)
    assert only.confidence == pytest.approx(0.9)


def test_a_confusion_has_labels_in_rows():
    probabilities = np.eye(3)[[0, 1, 1, 2]]
    found = measure.confusion(probabilities, np.array([0, 0, 1, 2]))
    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert measure.accuracy(probabilities, np.array([0, 0, 1, 2])) == 0.75


def test_the_difference_on_the_same_pictures_has_an_interval():
    one = np.array([True] * 60 + [False] * 40)
    other = np.array([True] * 50 + [False] * 50)
    more, low, high = measure.paired_difference(one, other)
    assert more == pytest.approx(0.1)
    assert low == pytest.approx(0.1 - 1.96 * (0.1 * 0.9 / 100) ** 0.5, abs=1e-4)
    assert high - more == pytest.approx(more - low)
    assert measure.paired_difference(one, one) == (0, 0, 0)
