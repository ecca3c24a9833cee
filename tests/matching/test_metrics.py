from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.contract import CropSpec, OperatingPoint, RecognizerPlugin
from facecli.contract.operating_point import METRICS
from facecli.errors import AmbiguousFaceError, NoFaceError, UsageError
from facecli.faces.choice import check_face_choice, choose
from facecli.matching import closest as closest_module
from facecli.matching import metrics, thresholds
from facecli.matching.closest import closest
from facecli.matching.metrics import cosine_similarity, distance
from facecli.matching.thresholds import decide
from facecli.types import Detections

A = np.array([[3, 4]], np.float32)
B = np.array([[4, 3]], np.float32)


def plugin(metric: str, threshold: float, *, normalized: bool, **more: object) -> RecognizerPlugin:
    point = OperatingPoint(metric, threshold, "its paper", **more)  # type: ignore[arg-type]
    return RecognizerPlugin("x", "", lambda *_: None, CropSpec(8, 8), 2, normalized, point)  # type: ignore[arg-type,return-value]


def test_distances_by_hand() -> None:
    assert cosine_similarity(A, B)[0] == pytest.approx(24 / 25)
    assert distance(A, B, "cosine")[0] == pytest.approx(1 / 25)
    assert distance(A, B, "euclidean")[0] == pytest.approx(math.sqrt(2))
    assert distance(A, B, "euclidean_l2")[0] == pytest.approx(math.sqrt(2) / 5)
    assert distance(A, B, "angular")[0] == pytest.approx(math.acos(24 / 25) / math.pi)


@pytest.mark.parametrize("metric", METRICS)
def test_an_embedding_is_at_no_distance_from_itself(metric: str) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 128)).astype(np.float32)
    assert distance(rows, rows, metric).max() < 1e-6  # type: ignore[arg-type]


def test_a_zero_embedding_is_like_nothing_and_not_nan() -> None:
    assert cosine_similarity(A, A * 0)[0] == 0


@given(st.floats(0.01, 1.9), st.sampled_from(["cosine", "euclidean", "euclidean_l2", "angular"]), st.integers(0, 2**31))
def test_for_unit_vectors_all_metrics_decide_alike(threshold: float, metric: str, seed: int) -> None:
    """The deepface #285 class of bug: cosine says no and l2 says yes."""
    unit = plugin("cosine", threshold, normalized=True)
    rule = decide(unit, metric)  # type: ignore[arg-type]
    rows = np.random.default_rng(seed).normal(size=(2, 100, 4))
    a, b = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    by_cosine = distance(a, b, "cosine")
    clear = np.abs(by_cosine - threshold) > 1e-4  # float32 may round on the border
    assert ((distance(a, b, rule.metric) <= rule.threshold) == (by_cosine <= threshold))[clear].all()
    assert "derived" in rule.source or metric == "cosine"


def test_the_catalogue_threshold_is_the_default_and_tells_its_source() -> None:
    rule = decide(plugin("euclidean", 0.6, normalized=False))
    assert (rule.metric, rule.threshold, rule.source) == ("euclidean", 0.6, "its paper")


def test_a_threshold_of_zero_is_a_threshold() -> None:
    assert decide(plugin("cosine", 0.6, normalized=True), threshold=0.0).threshold == 0.0


def test_only_measured_rates_can_be_asked_for() -> None:
    known = plugin("cosine", 0.6, normalized=True, by_fmr=((1e-3, 0.5),), protocol="LFW")
    assert decide(known, fmr=1e-3).threshold == 0.5
    assert decide(known, fmr=1e-3).source == "catalogue: LFW"
    with pytest.raises(UsageError, match=r"no threshold measured at FMR 0.0001.*measured: 0.001"):
        decide(known, fmr=1e-4)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "angular"])
@pytest.mark.parametrize("fmr", [None, 0.5])
def test_a_point_of_the_users_is_named_in_every_metric_with_the_rate_that_was_measured(metric: Any, fmr: Any) -> None:
    rates = {"by_fmr": ((0.5, 0.4),), "fmr": 0.125, "protocol": "8 comparisons"}
    own = OperatingPoint("euclidean", 0.4, "your operating point mine", equivalents={"cosine": 0.1}, **rates)  # type: ignore[arg-type]
    # Without length 1 there is the cosine threshold alone, which was measured; with it the angular one is derived.
    rule = decide(plugin("euclidean", 0.6, normalized=metric == "angular"), metric, fmr=fmr, own=[own])
    assert "your operating point mine" in rule.source
    assert rule.fmr == 0.125
    assert ("for an FMR of at most 0.5" in rule.source) == (fmr is not None)


def test_a_metric_of_the_users_point_says_what_it_was_measured_on() -> None:
    own = OperatingPoint("euclidean", 0.4, "your operating point mine", "8 comparisons", equivalents={"cosine": 0.1})
    rule = decide(plugin("euclidean", 0.6, normalized=False), "cosine", own=[own])
    assert rule.source == "at the rate of euclidean 0.4: your operating point mine; measured on 8 comparisons"


def test_what_can_not_be_derived_is_an_error_not_a_guess() -> None:
    free = plugin("euclidean", 0.6, normalized=False)
    with pytest.raises(UsageError, match="no cosine threshold"):
        decide(free, "cosine")
    measured = plugin("euclidean", 0.6, normalized=False, equivalents={"cosine": 0.07})
    assert decide(measured, "cosine").threshold == 0.07
    assert decide(measured, "cosine").source == "at the rate of euclidean 0.6: its paper"


def test_what_was_measured_without_the_users_parameters_is_not_claimed_for_them() -> None:
    known = plugin("cosine", 0.6, normalized=True, by_fmr=((1e-3, 0.5),), fmr=0.01)
    rule = decide(known, altered=True)
    assert (rule.threshold, rule.fmr) == (0.6, None)
    assert "default parameters" in rule.source
    with pytest.raises(UsageError, match="default parameters"):
        decide(known, fmr=1e-3, altered=True)
    assert decide(known, threshold=0.4, altered=True).source == "given by the user"


def test_threshold_and_fmr_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="exclude"):
        decide(plugin("cosine", 0.6, normalized=True), threshold=1.0, fmr=1e-3)


def test_closest_pair() -> None:
    near = closest(np.concatenate([B * 0 + 1, A]), np.concatenate([-A, A, B]), "euclidean")
    assert near.rows == (1, 1)
    assert near.distance == 0
    assert near.similarity == pytest.approx(1)


FACES = Detections(
    np.array([[0, 0, 10, 10], [40, 40, 60, 60], [0, 60, 30, 90]], np.float32), np.array([0.9, 0.8, 0.7], np.float32)
)


@pytest.mark.parametrize(
    ("choice", "chosen"), [("largest", [2]), ("center", [1]), ("score", [0]), ("all", [0, 1, 2]), ("1", [1])]
)
def test_which_face(choice: str, chosen: list[int]) -> None:
    assert choose(FACES, choice, 100, 100, "x") == chosen


def test_the_largest_face_is_the_one_of_which_most_is_in_the_picture() -> None:
    cut_off = np.array([[-90, 0, 10, 100], [30, 30, 80, 80]], np.float32)
    assert choose(Detections(cut_off, np.array([0.9, 0.8], np.float32)), "largest", 100, 100, "x") == [1]


def test_ambiguity_no_face_and_a_face_that_is_not_there() -> None:
    with pytest.raises(AmbiguousFaceError, match="3 faces in x"):
        choose(FACES, "only", 100, 100, "x")
    with pytest.raises(NoFaceError, match="no face found in x"):
        choose(FACES.select([]), "largest", 100, 100, "x")
    with pytest.raises(NoFaceError, match="0 to 2"):
        choose(FACES, "3", 100, 100, "x")
    with pytest.raises(UsageError, match="unknown --face"):
        check_face_choice("biggest")


@pytest.mark.parametrize("choice", ["9" * 5000, "-1", "", "١", "first"])
def test_a_face_choice_without_sense_is_refused(choice: str) -> None:
    with pytest.raises(UsageError, match="unknown --face"):
        check_face_choice(choice)


@pytest.mark.parametrize(
    "option",
    [
        ("--threshold", "nan"),
        ("--threshold", "inf"),
        ("--fmr", "0"),
        ("--fmr", "1"),
        ("--timeout", "inf"),
        ("--timeout", "1e9"),
        ("--min-face-size", "nan"),
        ("--threads", "257"),
        ("--jobs", "100000"),
        ("--batch-size", "1025"),
        ("--face", "9" * 5000),
    ],
)
def test_numbers_without_sense_are_refused(run_cli: Any, examples: Path, option: tuple[str, str]) -> None:
    done = run_cli("verify", examples / "hopper.jpg", examples / "collins.jpg", *option, "--json")
    assert done.returncode == 2
    assert done.json["error"]["code"] == "usage"


def test_options_of_a_comparison_can_be_set_in_the_environment(run_cli: Any, examples: Path) -> None:
    env = {"FACECLI_METRIC": "angular", "FACECLI_MIN_FACE_SIZE": "30", "FACECLI_FLIP": "1", "FACECLI_FACE": "only"}
    done = run_cli("verify", examples / "hopper.jpg", examples / "collins.jpg", "--json", env=env)
    assert done.json["metric"] == "angular"
    assert done.json["detector"]["parameters"]["min_face_size"] == 30
    assert done.json["recognizer"]["parameters"]["flip"] is True


@pytest.mark.parametrize(("option", "word"), [("--attributes", "attribute"), ("--labels", "label")])
@pytest.mark.parametrize("value", ["", ",", " , "])
def test_a_list_that_names_nothing_is_refused(run_cli: Any, examples: Path, option: str, word: str, value: str) -> None:
    done = run_cli("analyze", examples / "hopper.jpg", option, value, "--json")
    assert done.returncode == 2
    assert f"no {word} named" in done.json["error"]["message"]


def test_fused_recognizers_judge_the_same_pair_of_faces() -> None:
    """The first finds (0, 1) closest, the second (1, 0); together (1, 1) is: what each says is said of that pair."""
    a = [np.float32([[1, 0], [0.9, 0.4]]), np.float32([[0, 1], [1, 0.3]])]
    b = [np.float32([[0, 1], [1, 0.05]]), np.float32([[1, 0.3], [1, 0.2]])]
    rules = [thresholds.Decision("cosine", 0.1, "x"), thresholds.Decision("euclidean", 0.5, "y")]
    fused = closest_module.fuse(a, b, rules)
    each = [
        metrics.distance(x[[i]], y[[j]], rule.metric)[0] / rule.threshold  # type: ignore[misc]
        for i in range(2)
        for j in range(2)
        for x, y, rule in zip(a, b, rules, strict=True)
    ]
    means = np.reshape(each, (2, 2, 2)).mean(2)
    assert fused.rows == np.unravel_index(means.argmin(), (2, 2))
    assert fused.score == pytest.approx(means.min())
    assert [part.rows for part in fused.parts] == [fused.rows] * 2
    assert fused.score == pytest.approx(
        sum(p.distance / r.threshold for p, r in zip(fused.parts, rules, strict=True)) / 2
    )


def test_one_recognizer_fused_is_that_recognizer() -> None:
    rows = np.random.default_rng(0).standard_normal((2, 3, 8)).astype(np.float32)
    rule = thresholds.Decision("cosine", 0.7, "x")
    fused, alone = closest_module.fuse([rows[0]], [rows[1]], [rule]), closest_module.closest(rows[0], rows[1], "cosine")
    assert fused.parts == (alone,)
    assert (fused.score <= closest_module.FUSED_THRESHOLD) == (alone.distance <= rule.threshold)


def test_a_threshold_of_zero_can_not_be_fused() -> None:
    row = [np.ones((1, 2), np.float32)] * 2
    with pytest.raises(UsageError, match="threshold of 0"):
        closest_module.fuse(row, row, [thresholds.Decision("cosine", 0, "x"), thresholds.Decision("cosine", 1, "y")])
