"""The evaluation of a detector on each subset of the true faces."""

from __future__ import annotations

import numpy as np

from facecli.evaluation.detection import evaluate
from facecli.evaluation.ground_truth import TrueFaces
from facecli.evaluation.labelled import LabelledDetections
from facecli.types import Detections

BOXES = np.array([[10, 10, 20, 20], [60, 60, 10, 10]], float)  # x, y, width, height
FOUND = np.array([[10, 10, 30, 30], [60, 60, 70, 70]], np.float32)  # xyxy


def truth(**subsets: list[int]) -> TrueFaces:
    return TrueFaces(BOXES, {name: np.array(indices, np.intp) for name, indices in subsets.items()})


def detections(*scores: float) -> Detections:
    return Detections(FOUND[: len(scores)], np.array(scores, np.float32))


def test_each_subset_has_its_faces_and_the_sizes_of_those_found() -> None:
    labelled = LabelledDetections({"a": detections(0.9, 0.4)}, ())
    answer = evaluate({"a": truth(easy=[0], hard=[0, 1])}, labelled, 0.5, seconds=0.2)
    assert (answer.pictures, answer.detections, answer.milliseconds) == (1, 2, 200)
    easy, hard = answer.subsets["easy"], answer.subsets["hard"]
    assert (easy.faces, easy.average_precision, easy.smallest, easy.largest) == (1, 1, (20, 20), (20, 20))
    assert (hard.faces, hard.average_precision) == (2, 1)
    assert hard.at_default is not None
    assert (hard.at_default.threshold, hard.at_default.recall) == (0.5, 0.5)
    assert hard.smallest == (20, 20)  # the other one is found below the detector's own threshold only


def test_without_a_threshold_every_face_that_was_found_has_a_size() -> None:
    labelled = LabelledDetections({"a": detections(0.9, 0.4)}, ())
    hard = evaluate({"a": truth(hard=[0, 1])}, labelled, None, seconds=0).subsets["hard"]
    assert (hard.at_default, hard.smallest, hard.largest) == (None, (10, 10), (20, 20))


def test_the_faces_of_a_picture_that_failed_are_not_found() -> None:
    labelled = LabelledDetections({"a": detections(0.9)}, ())
    answer = evaluate({"a": truth(all=[0]), "b": truth(all=[0, 1])}, labelled, None, seconds=0)
    assert (answer.pictures, answer.subsets["all"].faces) == (2, 3)
    assert answer.subsets["all"].average_precision == 1 / 3
    nothing = evaluate({"b": truth(all=[0, 1])}, LabelledDetections({}, ()), 0.5, seconds=0).subsets["all"]
    assert (nothing.average_precision, nothing.at_best, nothing.smallest) == (0, None, None)
