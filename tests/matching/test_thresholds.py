"""The threshold of one recognizer: which of its operating points counts, and in which metrics it can be stated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.contract import CropSpec, OperatingPoint, RecognizerPlugin
from facecli.errors import UsageError
from facecli.matching.metrics import distance
from facecli.matching.thresholds import decision_rule


def plugin(metric: str, threshold: float, *, normalized: bool, **more: object) -> RecognizerPlugin:
    point = OperatingPoint(metric, threshold, "its paper", **more)  # type: ignore[arg-type]
    return RecognizerPlugin("x", "", lambda *_: None, CropSpec(8, 8), 2, normalized, point)  # type: ignore[arg-type,return-value]


@given(st.floats(0.01, 1.9), st.sampled_from(["cosine", "euclidean", "euclidean_l2", "angular"]), st.integers(0, 2**31))
def test_for_unit_vectors_all_metrics_decide_alike(threshold: float, metric: str, seed: int) -> None:
    """The deepface #285 class of bug: cosine says no and l2 says yes."""
    unit = plugin("cosine", threshold, normalized=True)
    rule = decision_rule(unit, metric)  # type: ignore[arg-type]
    rows = np.random.default_rng(seed).normal(size=(2, 100, 4))
    a, b = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    by_cosine = distance(a, b, "cosine")
    clear = np.abs(by_cosine - threshold) > 1e-4  # float32 may round on the border
    assert ((distance(a, b, rule.metric) <= rule.threshold) == (by_cosine <= threshold))[clear].all()
    assert "derived" in rule.source or metric == "cosine"


def test_the_catalogue_threshold_is_the_default_and_tells_its_source() -> None:
    rule = decision_rule(plugin("euclidean", 0.6, normalized=False))
    assert (rule.metric, rule.threshold) == ("euclidean", 0.6)
    assert rule.source == "its paper; nothing was measured for groups of people"


def test_a_threshold_of_zero_is_a_threshold() -> None:
    assert decision_rule(plugin("cosine", 0.6, normalized=True), threshold=0.0).threshold == 0.0


def test_only_measured_rates_can_be_asked_for() -> None:
    known = plugin("cosine", 0.6, normalized=True, by_fmr=((1e-3, 0.5),), protocol="LFW")
    assert decision_rule(known, fmr=1e-3).threshold == 0.5
    assert decision_rule(known, fmr=1e-3).source == "catalogue: LFW"
    with pytest.raises(UsageError, match=r"no threshold measured at FMR 0.0001.*measured: 0.001"):
        decision_rule(known, fmr=1e-4)


OWN = "your operating point mine"
AT = "at the rate of euclidean 0.4"

# metric, whether embeddings have length 1, fmr, and the rule's threshold and source. Without length 1 there is the
# cosine threshold alone, which was measured; with it the angular one is derived.
IN_EVERY_METRIC = [
    ("euclidean", False, None, 0.4, OWN),
    ("euclidean", False, 0.5, 0.4, f"{OWN}; for an FMR of at most 0.5"),
    ("cosine", False, None, 0.1, f"{AT}: {OWN}; measured on 8 comparisons"),
    ("cosine", False, 0.5, 0.1, f"{AT}: {OWN}; for an FMR of at most 0.5; measured on 8 comparisons"),
    ("angular", True, None, 0.1281884, f"derived from euclidean 0.4: {OWN}"),
    ("angular", True, 0.5, 0.1281884, f"derived from euclidean 0.4: {OWN}; for an FMR of at most 0.5"),
]


@pytest.mark.parametrize(("metric", "normalized", "fmr", "threshold", "source"), IN_EVERY_METRIC)
def test_a_users_point_has_its_name_in_every_metric_and_the_measured_rate(
    metric: Any, normalized: bool, fmr: Any, threshold: float, source: str
) -> None:
    rates = {"by_fmr": ((0.5, 0.4),), "fmr": 0.125, "protocol": "8 comparisons"}
    own = OperatingPoint("euclidean", 0.4, OWN, equivalents={"cosine": 0.1}, **rates)  # type: ignore[arg-type]
    rule = decision_rule(plugin("euclidean", 0.6, normalized=normalized), metric, fmr=fmr, user_points=[own])
    assert (rule.metric, rule.threshold, rule.source) == (metric, pytest.approx(threshold), source)
    assert rule.fmr == 0.125


def test_a_metric_of_the_users_point_says_what_it_was_measured_on() -> None:
    own = OperatingPoint("euclidean", 0.4, "your operating point mine", "8 comparisons", equivalents={"cosine": 0.1})
    rule = decision_rule(plugin("euclidean", 0.6, normalized=False), "cosine", user_points=[own])
    assert rule.source == "at the rate of euclidean 0.4: your operating point mine; measured on 8 comparisons"


def test_what_can_not_be_derived_is_an_error_not_a_guess() -> None:
    free = plugin("euclidean", 0.6, normalized=False)
    with pytest.raises(UsageError, match="no cosine threshold"):
        decision_rule(free, "cosine")
    measured = plugin("euclidean", 0.6, normalized=False, equivalents={"cosine": 0.07})
    assert decision_rule(measured, "cosine").threshold == 0.07
    assert decision_rule(measured, "cosine").source.startswith("at the rate of euclidean 0.6: its paper")


GROUPS: dict[str, Any] = {"worst_group": "B", "fmr_worst_group": 0.02, "worst_by_fmr": ((1e-3, 0.004),)}


def test_a_point_measured_for_groups_tells_the_worst_in_every_metric_at_every_rate() -> None:
    known = plugin("cosine", 0.6, normalized=True, fmr=0.01, by_fmr=((1e-3, 0.5), (1e-4, 0.4)), **GROUPS)
    assert decision_rule(known).source == "its paper"
    assert (decision_rule(known).fmr, decision_rule(known).fmr_worst_group) == (0.01, 0.02)
    assert decision_rule(known, "angular").fmr_worst_group == 0.02
    assert decision_rule(known, fmr=1e-3).fmr_worst_group == 0.004
    assert decision_rule(known, fmr=1e-4).fmr_worst_group is None
    assert decision_rule(known, threshold=0.6).fmr_worst_group is None
    assert decision_rule(known, altered=True).fmr_worst_group is None
    own = OperatingPoint("cosine", 0.3, OWN, fmr=0.001, by_fmr=((0.25, 0.3),), worst_group="C", fmr_worst_group=0.2)
    assert decision_rule(known, fmr=0.25, user_points=[own]).fmr_worst_group == 0.2


def test_what_was_measured_without_the_users_parameters_is_not_claimed_for_them() -> None:
    known = plugin("cosine", 0.6, normalized=True, by_fmr=((1e-3, 0.5),), fmr=0.01)
    rule = decision_rule(known, altered=True)
    assert (rule.threshold, rule.fmr) == (0.6, None)
    assert "default parameters" in rule.source
    with pytest.raises(UsageError, match="default parameters"):
        decision_rule(known, fmr=1e-3, altered=True)
    assert decision_rule(known, threshold=0.4, altered=True).source == "given by the user"


def test_threshold_and_fmr_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="exclude"):
        decision_rule(plugin("cosine", 0.6, normalized=True), threshold=1.0, fmr=1e-3)
