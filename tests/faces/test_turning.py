"""Faces of a turned picture come back to where they are in the picture as it was."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.faces import turning
from facecli.types import Detections, Image


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_points_and_boxes_come_back(degrees: int) -> None:
    height, width = 5, 9
    pixels = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)
    image = turning.turned(Image(pixels, "x"), degrees)
    places = [(1, 2), (6, 0), (8, 4), (0, 0), (3, 3)]  # x, y
    values = [pixels[y, x].tolist() for x, y in places]
    found = [np.argwhere((image.pixels == value).all(2))[0][::-1] for value in values]
    landmarks = np.array([found], np.float32)
    box = np.float32([[0, 0, image.width, 2]])
    back = turning.restored(Detections(box, np.float32([0.5]), landmarks), degrees, width, height)
    assert back.landmarks is not None
    assert back.landmarks[0].tolist() == [list(map(float, place)) for place in places]
    expected = {0: [0, 0, 9, 2], 90: [0, 0, 2, 5], 180: [0, 3, 9, 5], 270: [7, 0, 9, 5]}
    assert back.bboxes[0].tolist() == expected[degrees]
    assert back.scores.tolist() == [0.5]


def test_nothing_comes_back_as_nothing() -> None:
    assert len(turning.restored(Detections.empty(landmarks=True), 90, 4, 3)) == 0
    assert turning.surest(Detections.empty(landmarks=False)) == 0
