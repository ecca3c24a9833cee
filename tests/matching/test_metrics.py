"""Similarity and distance in the four metrics, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from facecli.kinds import METRICS
from facecli.matching.metrics import cosine_similarity, distance

A = np.array([[3, 4]], np.float32)
B = np.array([[4, 3]], np.float32)


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
