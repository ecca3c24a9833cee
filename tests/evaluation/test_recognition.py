from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.errors import UsageError
from facecli.evaluation import error_curve, recognition
from facecli.evaluation.pairs import Pair, read
from facecli.evaluation.rates import Rate
from facecli.evaluation.recognition import evaluate

# Mated 0.1 0.2 0.3 0.7, non-mated 0.4 0.6 0.8 0.9: at 0.5 one of either kind is wrong.
DISTANCES = np.array([0.1, 0.2, 0.3, 0.7, 0.4, 0.6, 0.8, 0.9])
SAME = np.array([True] * 4 + [False] * 4)

distances = st.lists(st.integers(0, 50).map(lambda n: n / 10), min_size=1, max_size=40)


def counts(rate):
    return (rate.count, rate.total)


def test_rates_counted_by_hand():
    result = evaluate(DISTANCES, SAME, 0.5)
    assert counts(result.accuracy) == (6, 8)
    assert counts(result.fmr) == (1, 4)
    assert counts(result.fnmr) == (1, 4)
    assert result.roc.eer == pytest.approx(0.25)
    assert counts(result.best_accuracy) == (7, 8)  # at anything from 0.3 to below 0.4
    assert result.best_threshold == pytest.approx(0.35)


def test_a_distance_at_the_threshold_is_the_same_person():
    assert counts(evaluate(DISTANCES, SAME, 0.4).fmr) == (1, 4)
    assert counts(evaluate(DISTANCES, SAME, math.nextafter(0.4, 0)).fmr) == (0, 4)


def test_a_pair_that_was_not_compared_is_rejected_and_never_correct():
    failed = DISTANCES.copy()
    failed[[0, 1, 7]] = np.nan  # two mated, one non-mated
    result = evaluate(failed, SAME, 0.5)
    assert counts(result.accuracy) == (3, 8)
    assert counts(result.fmr) == (1, 3)
    assert counts(result.fnmr) == (1, 2)
    assert counts(result.far) == (1, 4)
    assert counts(result.frr) == (3, 4)
    assert counts(result.best_accuracy) == (4, 8)


def test_one_kind_of_pairs_alone_gives_the_rates_that_it_can():
    result = evaluate(DISTANCES[:4], SAME[:4], 0.5)
    assert counts(result.fnmr) == (1, 4)
    assert (result.fmr, result.far, result.roc, result.cross_validation) == (None, None, None, None)
    assert all(point.match_rate is None and point.note for point in result.at_fmr)


def test_nothing_compared_at_all():
    result = evaluate(np.full(3, np.nan), np.array([True, True, False]), 0.5)
    assert counts(result.accuracy) == (0, 3)
    assert counts(result.best_accuracy) == (0, 3)
    assert (result.fmr, result.fnmr, counts(result.frr), counts(result.far)) == (None, None, (2, 2), (0, 1))
    assert math.isfinite(result.best_threshold)


def test_match_rate_at_an_fmr():
    mated, non_mated = np.linspace(0, 1, 101), np.linspace(0.5, 1.5, 1001)
    point = error_curve.at_fmr(mated, non_mated, 1e-2)
    assert point.false_matches == 10
    assert point.threshold == pytest.approx(0.509)
    assert counts(point.match_rate) == (51, 101)
    assert "10 false matches" in point.note
    assert error_curve.at_fmr(mated, np.linspace(0.5, 1.5, 10_000), 1e-2).note is None


def test_too_few_comparisons_are_told():
    mated, non_mated = np.array([0.1, 0.6]), np.linspace(0.5, 1.5, 500)
    point = error_curve.at_fmr(mated, non_mated, 1e-3)
    assert (point.false_matches, counts(point.match_rate)) == (0, (1, 2))
    assert point.threshold < 0.5
    assert "can not show" in point.note


def test_many_equal_distances_never_exceed_the_fmr():
    point = error_curve.at_fmr(np.array([0.2, 0.5]), np.full(1000, 0.5), 1e-2)
    assert (point.false_matches, counts(point.match_rate)) == (0, (1, 2))
    assert 0.2 <= point.threshold < 0.5


@pytest.mark.parametrize("copies", [0.0, 1e-9])
def test_a_threshold_that_only_copies_pass_is_none(copies):
    """1e-9: what rounding leaves between two copies of a picture."""
    point = error_curve.at_fmr(np.array([0.2, 0.5]), np.full(1000, copies), 1e-2)
    assert (point.threshold, point.match_rate) == (None, None)
    assert point.note == "no threshold keeps it: 1000 of 1000 non-mated comparisons have no distance"
    assert evaluate(np.array([0.0, 0.0]), np.array([True, False]), 0.5).at_fmr[0].threshold is None


def test_copies_among_the_mated_do_not_make_the_threshold():
    """The threshold that is kept decides these pairs as 0 does, and can be divided by."""
    point = error_curve.at_fmr(np.zeros(3), np.full(1000, 0.5), 1e-2)
    assert point.threshold == math.nextafter(0.5, 0)
    assert counts(point.match_rate) == (3, 3)


def test_wilson_interval_of_a_textbook():
    """A. Agresti and B. Coull, "Approximate is better than exact", 1998: 0 of 10 and 5 of 10."""
    assert Rate(0, 10).interval == pytest.approx((0, 0.2775), abs=1e-4)
    assert Rate(5, 10).interval == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_folds_take_their_threshold_from_the_others():
    """In one fold the non-mated pairs are as close as mated ones elsewhere: no threshold of the others fits it."""
    mated, non_mated = np.full(20, 0.2), np.full(20, 0.8)
    non_mated[:2] = 0.1
    both = np.concatenate([mated, non_mated])
    folds = recognition.cross_validate(both, np.array([True] * 20 + [False] * 20))
    assert folds.accuracy == pytest.approx(0.95)  # nine folds right, in one the two non-mated of four wrong
    assert folds.std == pytest.approx(np.std([1] * 9 + [0.5], ddof=1))
    assert recognition.cross_validate(DISTANCES, SAME) is None


def test_folds_do_not_look_at_their_own_pairs():
    """Five folds want a threshold below 0.45, five one above 0.5: whichever is left out is outvoted by the others."""
    mated, non_mated = np.repeat([0.1, 0.5], 5), np.repeat([0.45, 0.9], 5)
    folds = recognition.cross_validate(np.concatenate([mated, non_mated]), np.array([True] * 10 + [False] * 10))
    assert (folds.accuracy, folds.std) == (0.5, 0)


def test_folds_count_a_pair_that_was_not_compared_as_wrong():
    both = np.concatenate([np.full(10, 0.2), np.full(10, 0.8)])
    both[15] = np.nan
    folds = recognition.cross_validate(both, np.array([True] * 10 + [False] * 10))
    assert folds.accuracy == pytest.approx(0.95)


@given(distances, distances)
def test_the_curve_is_monotone_and_goes_from_nothing_to_everything(mated, non_mated):
    curve = error_curve.roc(np.sort(mated), np.sort(non_mated))
    assert (curve.fmr[0], curve.fnmr[0], curve.fmr[-1], curve.fnmr[-1]) == (0, 1, 1, 0)
    assert (np.diff(curve.thresholds) > 0).all()
    assert (np.diff(curve.fmr) >= 0).all()
    assert (np.diff(curve.fnmr) <= 0).all()


@given(distances, distances)
def test_the_eer_lies_between_the_rates_around_it_and_does_not_care_for_the_scale(mated, non_mated):
    curve = error_curve.roc(np.sort(mated), np.sort(non_mated))
    worst = np.maximum(curve.fmr, curve.fnmr)
    best = np.minimum(curve.fmr, curve.fnmr)
    assert best.max() - 1e-12 <= curve.eer <= worst.min() + 1e-12
    stretched = error_curve.roc(np.sort(np.exp(mated)), np.sort(np.exp(non_mated)))
    assert stretched.eer == pytest.approx(curve.eer)


@given(distances, distances)
def test_the_eer_is_the_same_from_the_other_side(mated, non_mated):
    """Similarities instead of distances, and "different" instead of "same": the errors change names, not their rate."""
    curve = error_curve.roc(np.sort(mated), np.sort(non_mated))
    mirrored = error_curve.roc(np.sort(-np.array(non_mated)), np.sort(-np.array(mated)))
    assert mirrored.eer == pytest.approx(curve.eer)


@given(distances, distances, st.integers(0, 50).map(lambda n: n / 10))
def test_no_threshold_is_better_than_the_best_which_reaches_its_accuracy(mated, non_mated, threshold):
    both, same = np.array(mated + non_mated), np.array([True] * len(mated) + [False] * len(non_mated))
    result = evaluate(both, same, threshold)
    assert result.best_accuracy.count >= result.accuracy.count
    assert evaluate(both, same, result.best_threshold).accuracy == result.best_accuracy


def test_a_list_of_pairs():
    lines = ["id,file_b,file_a,same\n", "1,b.jpg,a.jpg,1\n", '2,"c, d.jpg",e/f.jpg,No\n']
    assert read(lines, "list") == [Pair("a.jpg", "b.jpg", True), Pair("e/f.jpg", "c, d.jpg", False)]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "no column file_a, file_b, same"),
        (["a.jpg,b.jpg,1"], "no column"),
        (["file_a,file_b\n", "a,b\n"], "no column same"),
        (["file_a,file_b,same\n"], "no pairs"),
        (["file_a,file_b,same\n", "a,b,1\n", "a,b,maybe\n"], "line 3: same is 'maybe'"),
        (["file_a,file_b,same\n", "a,b\n"], "line 2 is not complete"),
        (["file_a,file_b,same\n", "a,,1\n"], "line 2 is not complete"),
        (["file_a,file_b,same\n", "../a,b,1\n"], "line 2: ../a is outside"),
        (["file_a,file_b,same\n", "a,/b,1\n"], "line 2: /b is outside"),
        (["file_a,file_b,same\n", 'a,"b"c,1\n'], "line 2: "),
    ],
)
def test_a_list_that_can_not_be_read_is_told_with_its_line(lines, told):
    with pytest.raises(UsageError, match="list") as caught:
        read(lines, "list")
    assert told in caught.value.message
