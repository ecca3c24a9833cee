"""Marks on pictures: on copies, inside the picture, and honest about what is likeliest."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.output import drawing
from facecli.output.marks import GREEN, RED, YELLOW
from facecli.pipeline.results import ImageResult
from facecli.types import Detections, Image


def result(width: int, height: int, *boxes: tuple[float, float, float, float]) -> ImageResult:
    image = Image(np.full((height, width, 3), 128, np.uint8), "x")
    scores = np.linspace(0.9, 0.5, len(boxes), dtype=np.float32)
    faces = Detections(np.float32(boxes).reshape(-1, 4), scores, np.zeros((len(boxes), 5, 2), np.float32))
    return ImageResult("x", width, height, len(boxes), tuple(range(len(boxes))), detections=faces, image=image)


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((picture == np.array(colour, np.uint8)).all(-1).any())


def test_boxes_and_points_are_drawn_on_a_copy() -> None:
    one = result(200, 200, (50, 60, 150, 160))
    drawn = drawing.faces_of(one)
    assert (drawn[60, 55:145] == GREEN).all()
    assert has(drawn, YELLOW)
    assert one.image is not None
    assert (one.image.pixels == 128).all()


def test_a_box_beyond_the_picture_is_no_failure() -> None:
    for size in ((200, 200), (1, 1), (5000, 1)):
        assert drawing.faces_of(result(*size, (-50, -60, 1e4, 1e4))).shape == (size[1], size[0], 3)


def test_the_verdict_is_green_or_red() -> None:
    panels = [np.full((100, 300, 3), 128, np.uint8)] * 2
    same = drawing.verdict(panels, True, "cosine", 0.1, 0.5)
    other = drawing.verdict(panels, False, "cosine", 0.9, 0.5)
    assert has(same, GREEN)
    assert not has(same, RED)
    assert has(other, RED)
    assert not has(other, GREEN)


def test_a_sliver_does_not_become_a_huge_verdict() -> None:
    sliver = np.zeros((1, 5000, 3), np.uint8)
    assert drawing.verdict([sliver, sliver], True, "cosine", 0, 1).shape[1] < 5000


def test_bars_grow_with_the_probability_and_stay_inside() -> None:
    for box in ((10, 10, 100, 100), (500, 300, 630, 470), (0, 0, 640, 480)):
        drawn = drawing.attributes_of(result(640, 480, box), [{"happy": 0.9, "sad": 0.1}])
        green = (drawn == np.array(GREEN, np.uint8)).all(-1).sum()
        assert green > 900
        assert drawn.shape == (480, 640, 3)


@pytest.mark.parametrize("far", [1e9, 1e30, -1e30])
def test_a_mark_far_outside_is_no_failure(far: float) -> None:
    for box in ((far, far, far, far), (10, 10, abs(far), abs(far)), (-abs(far), -abs(far), 50, 50)):
        one = result(200, 100, box)
        assert one.detections is not None
        assert one.detections.landmarks is not None
        one.detections.landmarks[:] = far
        assert drawing.faces_of(one).shape == (100, 200, 3)
        assert drawing.face_of(one, 0, same=True).shape == (100, 200, 3)
        assert drawing.attributes_of(one, [{"happy": 0.9, "sad": 0.1}]).shape == (100, 200, 3)


def green_fill(drawn: np.ndarray) -> int:
    """How many pixels right of the box are as green as the bar of the likeliest label."""
    return int((drawn[:, 320:] == np.array(GREEN, np.uint8)).all(-1).sum())


def test_a_label_that_may_not_be_the_likeliest_is_not_marked() -> None:
    box = (100, 100, 300, 300)
    assert green_fill(drawing.attributes_of(result(640, 480, box), [{"sad": 0.4}])) == 0
    assert green_fill(drawing.attributes_of(result(640, 480, box), [{"sad": 0.6}])) > 500
    small = result(640, 480, (100, 100, 118, 118))
    nothing = drawing.attributes_of(small, [{}])
    assert (drawing.attributes_of(small, [{"sad": 0.0}]) == nothing).all()
    assert (drawing.attributes_of(small, [{"sad": 0.9}]) != nothing).any()


def test_bars_and_labels_of_a_group_cover_nobody() -> None:
    """Five faces in two rows, so close that no panel fits between some of them."""
    boxes = [(20, 30, 120, 150), (140, 30, 240, 150), (420, 40, 520, 160), (30, 220, 130, 340), (150, 200, 250, 320)]
    group = result(760, 400, *boxes)
    labels = {"happy": 0.5, "sad": 0.3, "angry": 0.1, "neutral": 0.1}
    for drawn in (drawing.attributes_of(group, [labels] * 5), drawing.faces_of(group)):
        for x1, y1, x2, y2 in boxes:
            inner = drawn[y1 + 30 : y2 - 5, x1 + 5 : x2 - 5].reshape(-1, 3)  # the label may stand in the own box
            assert (inner == 128).all(-1).mean() > 0.99
    assert green_fill(drawing.attributes_of(group, [labels] * 5)) > 5 * 300
