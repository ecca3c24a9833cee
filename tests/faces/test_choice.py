"""The face that a choice means: by size, place, score or index."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.errors import AmbiguousFaceError, NoFaceError, UsageError
from facecli.faces.choice import check_face_choice, choose
from facecli.types import Detections

FACES = Detections(
    np.array([[0, 0, 10, 10], [40, 40, 60, 60], [0, 60, 30, 90]], np.float32), np.array([0.9, 0.8, 0.7], np.float32)
)


@pytest.mark.parametrize(
    ("choice", "chosen"), [("largest", [2]), ("center", [1]), ("score", [0]), ("all", [0, 1, 2]), ("1", [1])]
)
def test_each_choice_means_its_face(choice: str, chosen: list[int]) -> None:
    assert choose(FACES, choice, 100, 100, "x") == chosen


def test_the_largest_face_is_the_one_of_which_most_is_in_the_picture() -> None:
    cut_off = np.array([[-90, 0, 10, 100], [30, 30, 80, 80]], np.float32)
    assert choose(Detections(cut_off, np.array([0.9, 0.8], np.float32)), "largest", 100, 100, "x") == [1]


def test_without_the_face_that_is_meant_there_is_an_error() -> None:
    with pytest.raises(AmbiguousFaceError, match="3 faces in x"):
        choose(FACES, "only", 100, 100, "x")
    with pytest.raises(NoFaceError, match="0 to 2"):
        choose(FACES, "3", 100, 100, "x")
    with pytest.raises(UsageError, match="unknown face"):
        check_face_choice("biggest")


@pytest.mark.parametrize("choice", ["9" * 5000, "-1", "", "١", "first"])
def test_a_face_choice_without_sense_is_refused(choice: str) -> None:
    with pytest.raises(UsageError, match="unknown face"):
        check_face_choice(choice)
