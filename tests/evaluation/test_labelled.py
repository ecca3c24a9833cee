"""Labelled pictures: their faces and failures, and the distances of labelled pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facecli.errors import NoFaceError
from facecli.evaluation.ground_truth import TrueFaces
from facecli.evaluation.labelled import collect_detections, collect_faces, compare, evaluate_pairs, sources_of
from facecli.evaluation.pairs import Pair
from facecli.matching.thresholds import DecisionRule
from facecli.pipeline.results import ImageResult
from facecli.types import Detections

PAIRS = [Pair("a", "b", same=True), Pair("a", "c", same=False), Pair("b", "missing", same=False)]


def picture(source: str, *rows: list[float]) -> ImageResult:
    return ImageResult(source, faces_found=len(rows), embeddings=np.array(rows, np.float32))


NO_FACE = ImageResult("missing", error=NoFaceError("no face found in missing"))
RESULTS = [picture("a", [1, 0]), picture("b", [0, 1], [1, 0]), picture("c", [0, -1]), NO_FACE]


def test_faces_by_picture_and_failures() -> None:
    faces = collect_faces(["a", "b", "c", "missing"], RESULTS)
    assert list(faces.embeddings) == ["a", "b", "c"]
    assert (faces.failures, faces.with_several_faces) == ((NO_FACE,), 1)


def test_of_several_faces_the_closest_count_and_without_a_face_there_is_no_distance() -> None:
    faces = collect_faces(["a", "b", "c", "missing"], RESULTS)
    distances, same = compare(PAIRS, faces.embeddings, "cosine")
    assert distances.tolist() == [0, 1, pytest.approx(np.nan, nan_ok=True)]
    assert same.tolist() == [True, False, False]
    evaluation = evaluate_pairs(PAIRS, faces, DecisionRule("cosine", 0.5, "a test"), "all")
    assert (evaluation.rates.accuracy.count, evaluation.rates.accuracy.total) == (2, 3)


def test_detections_by_picture_and_failures() -> None:
    faces = Detections(np.array([[1, 2, 3, 4]], np.float32), np.array([0.9], np.float32))
    truth = dict.fromkeys(["a", "missing"], TrueFaces(np.array([[1.0, 2, 3, 4]]), {}))
    labelled = collect_detections(truth, [ImageResult("a", detections=faces), NO_FACE])
    assert (labelled.detections, labelled.failures) == ({"a": faces}, (NO_FACE,))


def test_a_picture_named_minus_is_a_file() -> None:
    assert [source.name for source in sources_of(Path(), ["-", "a/b.jpg"])] == ["./-", "a/b.jpg"]
