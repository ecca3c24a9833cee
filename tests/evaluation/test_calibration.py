from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.errors import UsageError
from facecli.evaluation.calibration import calibrate, calibrate_metrics, calibrate_worst, check_enough, check_pairs
from facecli.evaluation.pairs import Pair

RANDOM = np.random.default_rng(0)


def test_the_threshold_keeps_the_rate_and_takes_all_of_it() -> None:
    non_mated, mated = RANDOM.uniform(0, 1, 100_000), RANDOM.uniform(0, 0.1, 1000)
    found = calibrate(mated, non_mated, 0.01)
    assert found.threshold == pytest.approx(0.01, rel=0.1)
    assert found.fmr.count == 1000
    assert (non_mated <= found.threshold).mean() == 0.01
    assert found.fnmr is not None
    assert found.fnmr.value == (mated > found.threshold).mean()
    assert found.interval[0] < found.threshold < found.interval[1]
    assert found.note is None


def test_the_interval_covers_the_true_threshold_as_often_as_it_says() -> None:
    """The true threshold of uniform distances is the rate itself."""
    inside = 0
    for seed in range(300):
        low, high = calibrate(np.zeros(1), np.random.default_rng(seed).uniform(0, 1, 2000), 0.01).interval
        inside += low <= 0.01 <= high
    assert 0.91 <= inside / 300 <= 0.99


@pytest.mark.parametrize(("total", "fmr"), [(2999, 1e-3), (500, 1e-3), (2, 0.5), (0, 0.5)])
def test_a_rate_that_so_few_comparisons_can_not_show_is_refused(total: int, fmr: float) -> None:
    with pytest.raises(UsageError, match="can not show an FMR"):
        check_enough(total, fmr)
    with pytest.raises(UsageError, match=f"takes {round(3 / fmr)} at least"):
        calibrate(np.zeros(3), np.ones(total), fmr)


def test_enough_is_three_false_matches_and_fewer_than_thirty_are_told() -> None:
    check_enough(3000, 1e-3)
    found = calibrate(np.zeros(3), np.arange(3000) / 3000, 1e-3)
    assert found.fmr.count == 3
    assert found.note is not None
    assert "3 false matches" in found.note


def test_without_mated_comparisons_there_is_a_threshold_and_no_fnmr() -> None:
    found = calibrate(np.zeros(0), np.arange(100) / 100, 0.1)
    assert found.fnmr is None
    assert found.fmr.value == 0.1


def test_no_threshold_above_0_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no threshold keeps an FMR of 0\.4: 12 of 15 non-mated comparisons") as told:
        calibrate(np.array([0.3]), np.repeat([0.0, 0.5], [12, 3]), 0.4)
    assert "give more and different pairs" in str(told.value)
    assert calibrate(np.array([0.3]), np.repeat([0.0, 0.5], [3, 12]), 0.4).threshold == 0.3


@pytest.mark.parametrize("mated", [[], [0.12], [0.12, 0.9]])
def test_the_threshold_lies_in_its_interval_where_all_distances_are_one(mated: list[float]) -> None:
    found = calibrate(np.array(mated), np.full(8, 0.45), 0.4)
    assert found.interval == (found.threshold, 0.45)
    assert found.threshold == (0.12 if mated else np.nextafter(0.45, 0))


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=10, max_size=60), st.sampled_from([0.3, 0.4, 0.49]))
def test_ties_never_break_the_rate(distances: list[float], fmr: float) -> None:
    non_mated = np.array(distances)
    found = calibrate(np.array([0.15, 0.25]), non_mated, fmr)
    assert (non_mated <= found.threshold).mean() <= fmr
    assert (non_mated <= found.threshold).sum() == found.fmr.count
    assert found.interval[0] <= found.threshold <= found.interval[1]


def test_the_worst_group_decides() -> None:
    near, far = RANDOM.uniform(0.3, 1, 10_000), RANDOM.uniform(0.5, 1, 10_000)
    found = calibrate_worst(np.zeros(1), {"far": far, "near": near}, 0.01)
    assert found.threshold == calibrate(np.zeros(1), near, 0.01).threshold < far.min()
    few = calibrate_worst(np.zeros(1), {"far": far, "near": near[:300]}, 0.01)
    assert few.note == "group near rests on 3 false matches; 30 make it good to 30 %"
    with pytest.raises(UsageError, match=r"200 non-mated comparisons of the group near can not show an FMR of 0\.01"):
        calibrate_worst(np.zeros(1), {"far": far, "near": near[:200]}, 0.01)


def test_pairs_of_every_group_must_be_enough_before_any_work() -> None:
    pairs = [Pair(f"{n}", f"x{n}", same=False, group="AB"[n % 4 == 0]) for n in range(12)]
    check_pairs(pairs, 0.4, worst=False)
    with pytest.raises(UsageError, match=r"3 non-mated comparisons of the group B can not show an FMR of 0\.4"):
        check_pairs(pairs, 0.4, worst=True)
    check_pairs([pair for pair in pairs if pair.group == "A"], 0.4, worst=True)
    with pytest.raises(UsageError, match="no pair belongs to a group"):
        check_pairs([Pair(f"{n}", f"x{n}", same=False) for n in range(12)], 0.4, worst=True)


def test_with_groups_each_metric_tells_their_rates_at_its_threshold() -> None:
    angles = {f"a{n}": n for n in range(12)} | {f"b{n}": 20 + 3 * n for n in range(12)}  # degrees
    rows = {name: np.array([[np.cos(np.radians(a)), np.sin(np.radians(a))]], np.float32) for name, a in angles.items()}
    pairs = [Pair(f"{g}{i}", f"{g}{j}", same=False, group=g) for g in "ab" for i in range(12) for j in range(i)]
    overall = calibrate_metrics(pairs, rows, 0.1, ["group"])
    worst = calibrate_metrics(pairs, rows, 0.1, ["group"], worst=True)
    for metric, found in worst.items():
        assert found.threshold < overall[metric].threshold
        for calibration in (found, overall[metric]):
            assert calibration.groups is not None and calibration.groups.fmr is not None
            rates = {group.name: group.fmr.value for group in calibration.groups.groups if group.fmr}
            assert calibration.groups.fmr.worst == "a"
            assert (rates["a"] <= 0.1) == (calibration is found)
        assert found.fmr.total == 132  # all of them, while the group decides
