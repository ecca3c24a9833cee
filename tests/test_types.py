"""The values between stages refuse arrays that are not as they say."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.errors import ContractError
from facecli.types import Detections, Image


def boxes(*scores: float) -> tuple[np.ndarray, np.ndarray]:
    return np.tile(np.float32([0, 0, 5, 5]), (len(scores), 1)), np.array(scores, np.float32)


def test_an_image_has_a_size() -> None:
    image = Image(np.zeros((3, 4, 3), np.uint8), "x")
    assert (image.width, image.height) == (4, 3)


@pytest.mark.parametrize("pixels", [np.zeros((3, 4), np.uint8), np.zeros((3, 4, 3), np.float32), [[0]], None])
def test_an_image_refuses_other_arrays(pixels: object) -> None:
    with pytest.raises(ContractError, match=r"Image.pixels must be (an array )?\(N, N, 3\) uint8"):
        Image(pixels, "x")  # type: ignore[arg-type]


def test_detections_select_and_empty() -> None:
    found = Detections(*boxes(0.9, 0.5), np.zeros((2, 5, 2), np.float32))
    assert len(found.select([1])) == 1
    assert found.select([1]).landmarks.shape == (1, 5, 2)  # type: ignore[union-attr]
    assert len(Detections.empty(landmarks=True)) == 0
    assert Detections.empty(landmarks=False).landmarks is None


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ((boxes(0.5)[0].astype(np.float64), boxes(0.5)[1]), "bboxes must be"),
        ((np.zeros((1, 5), np.float32), boxes(0.5)[1]), "bboxes must be"),
        ((boxes(0.5)[0], boxes(0.5, 0.4)[1]), "scores must be"),
        (boxes(0.4, 0.5), "descending"),
        (boxes(1.5), r"\[0, 1\]"),
        (boxes(float("nan")), "finite"),
        ((*boxes(0.5), np.zeros((1, 4, 2), np.float32)), "landmarks must be"),
        ((None, None), "bboxes must be an array"),
    ],
)
def test_detections_are_checked_at_birth(arrays: tuple[np.ndarray, ...], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        Detections(*arrays)
