"""Overlap, suppression and the alignment transform against plain loops and known turns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facecli.geometry import areas, nms, overlap, similarity_transform

BOXES = np.array([[0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 30, 30]], np.float32)


def test_areas_with_and_without_the_last_pixel() -> None:
    assert areas(BOXES).tolist() == [100, 50, 100]
    assert areas(BOXES, inclusive=True).tolist() == [121, 66, 121]


def test_overlap_over_union_and_over_the_smaller_box() -> None:
    assert overlap(BOXES, BOXES)[0].tolist() == [1.0, 0.5, 0.0]
    assert overlap(BOXES, BOXES, mode="min")[0].tolist() == [1.0, 1.0, 0.0]


def test_overlap_of_empty_boxes_is_zero_not_nan() -> None:
    point = np.zeros((1, 4), np.float32)
    assert overlap(point, point).tolist() == [[0.0]]


def test_nms_keeps_the_best_of_each_group_best_first() -> None:
    scores = np.array([0.5, 0.9, 0.7], np.float32)
    assert nms(BOXES, scores, 0.4).tolist() == [1, 2]
    assert nms(BOXES, scores, 0.6).tolist() == [1, 2, 0]
    assert nms(BOXES[:0], scores[:0], 0.5).tolist() == []


def test_nms_is_greedy_a_suppressed_box_suppresses_nothing() -> None:
    chain = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)
    assert nms(chain, np.array([0.9, 0.8, 0.7], np.float32), 0.3).tolist() == [0, 2]


@settings(max_examples=25)
@given(st.integers(0, 300), st.integers(0, 2**32 - 1), st.sampled_from(["union", "min"]))
def test_nms_agrees_with_the_plain_loop(count: int, seed: int, mode: str) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(5, 30, (count, 2))], 1).astype(np.float32)
    scores = rng.uniform(size=count).astype(np.float32)
    left, kept = list(np.argsort(-scores, kind="stable")), []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if overlap(boxes[[best]], boxes[[i]], mode=mode)[0, 0] <= 0.5]
    assert nms(boxes, scores, 0.5, mode=mode).tolist() == kept


@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.7, 0.3), (-2.5, 4.0)])
def test_similarity_transform_finds_rotation_scale_and_shift(angle: float, scale: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.array([[0, 0], [4, 1], [2, 7], [5, 5], [-1, 3]], np.float32)
    matrix = similarity_transform(points, (points @ turn.T + [3, -8]).astype(np.float32))
    np.testing.assert_allclose(matrix, np.column_stack([turn, [3, -8]]), atol=1e-5)


def test_similarity_transform_never_mirrors() -> None:
    points = np.array([[0, 0], [4, 0], [2, 3], [1, 5], [3, 5]], np.float32)
    matrix = similarity_transform(points, points * np.array([-1, 1], np.float32))
    assert np.linalg.det(matrix[:, :2]) > 0


def test_similarity_transform_of_one_point_five_times_is_a_shift() -> None:
    matrix = similarity_transform(np.ones((5, 2), np.float32), np.full((5, 2), 3, np.float32))
    np.testing.assert_allclose(matrix, [[1, 0, 2], [0, 1, 2]])
