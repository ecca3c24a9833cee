"""Documents and rows of evaluations and calibrations."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from facecli.errors import NoFaceError
from facecli.evaluation.calibration import Evidence, calibrate_metrics, operating_point
from facecli.evaluation.detection import evaluate
from facecli.evaluation.ground_truth import TrueFaces
from facecli.evaluation.labelled import LabelledDetections, collect_faces, evaluate_pairs
from facecli.evaluation.pairs import Pair
from facecli.evaluation.rates import Rate
from facecli.matching.thresholds import DecisionRule
from facecli.output import calibrations, detection_evaluations, evaluations
from facecli.output.rates import rate
from facecli.pipeline.results import ImageResult
from facecli.types import Detections

ANGLES = [0, 5, 10, 80, 90, 100]  # degrees: three pictures of one person and three of another
NAMES = [f"{angle}.jpg" for angle in ANGLES]
PAIRS = [Pair(a, b, same=(i < 3) == (j < 3)) for i, a in enumerate(NAMES) for j, b in enumerate(NAMES) if i < j]
FAILURE = NoFaceError("no face found in gone.jpg", hint="try {min_face_size}", about="min_face_size")
TOOLS: Any = SimpleNamespace(
    detector_plugin="the detector", recognizer_plugin="the recognizer", describe=lambda plugin: {"plugin": plugin}
)


def embedded(angle: float) -> ImageResult:
    row = np.array([[np.cos(np.radians(angle)), np.sin(np.radians(angle))]], np.float32)
    return ImageResult(f"{angle}.jpg", faces_found=1, embeddings=row)


FACES = collect_faces([*NAMES, "gone.jpg"], [*map(embedded, ANGLES), ImageResult("gone.jpg", error=FAILURE)])


def test_a_rate_with_its_interval() -> None:
    assert rate(None) is None
    assert rate(Rate(5, 10)) == {"value": 0.5, "count": 5, "total": 10, "interval": [0.236593, 0.763407]}


def test_an_evaluation_lists_failures_in_the_words_of_its_reader() -> None:
    evaluation = evaluate_pairs(PAIRS, FACES, DecisionRule("cosine", 0.5, "a test"), "center")
    record = evaluations.document(evaluation, TOOLS, str.upper)
    assert (record["detector"], record["recognizer"]) == ({"plugin": "the detector"}, {"plugin": "the recognizer"})
    assert (record["pairs"], record["compared"]) == ({"mated": 6, "non_mated": 9}, {"mated": 6, "non_mated": 9})
    assert (record["accuracy"]["value"], record["eer"], record["pictures"]) == (1, 0, 7)
    failures = record["failures_to_acquire"]
    assert (failures["count"], failures["rate"]) == (1, 0.142857)
    assert failures["pictures"][0]["error"]["hint"] == "try MIN_FACE_SIZE"
    table = {row["measure"]: row for row in evaluations.rows(record)}
    assert (table["accuracy"]["count"], table["accuracy"]["note"]) == (15, "cosine <= 0.5")
    assert (table["FTA"]["value"], table["FTA"]["of"]) == (0.142857, 7)


def test_a_calibration_and_the_list_of_all() -> None:
    measured = calibrate_metrics(PAIRS, FACES.embeddings, 0.4)
    evidence = Evidence("data/pairs.csv", 1, "face center")
    identity = {"recognizer": "x", "detector": None, "parameters": {}}
    entry = operating_point("mine", identity, "cosine", measured, evidence)
    assert set(entry.point.equivalents) == {"euclidean", "euclidean_l2", "angular"}
    record = calibrations.document(TOOLS, entry, measured["cosine"], FACES.failures, str.upper, path=Path("x"))
    assert (record["name"], record["metric"], record["target_fmr"]) == ("mine", "cosine", 0.4)
    assert record["protocol"] == "pairs.csv: 9 non-mated and 6 mated comparisons, face center"
    assert record["failed_pictures"][0]["error"]["hint"] == "try MIN_FACE_SIZE"
    measures = [row["measure"] for row in calibrations.rows(record)]
    assert measures == ["cosine threshold", "FMR", "FNMR", "kept as"]
    listed = calibrations.list_document([entry], "other")
    assert (listed["removed"], listed["operating_points"][0]["fmr"]) == ("other", entry.point.fmr)
    assert calibrations.list_rows(listed)[0]["created"] == entry.created[:10]


def test_a_detector_has_a_row_per_subset() -> None:
    truth = {"a": TrueFaces(np.array([[10.0, 10, 20, 30]]), {"all": np.array([0])})}
    boxes = Detections(np.array([[10, 10, 30, 40]], np.float32), np.array([0.9], np.float32))
    labelled = LabelledDetections({"a": boxes}, (ImageResult("gone.jpg", error=FAILURE),))
    record = detection_evaluations.document(evaluate(truth, labelled, None, seconds=0.0123456), TOOLS, str.upper)
    assert (record["pictures"], record["detections"], record["ms_per_picture"]) == (1, 1, 12.346)
    assert record["failures"][0]["error"]["hint"] == "try MIN_FACE_SIZE"
    assert record["subsets"]["all"]["at_default"] is None
    (row,) = detection_evaluations.rows(record)
    assert (row["subset"], row["AP"], row["largest found"], row["default recall"]) == ("all", 1, "20x30", None)
