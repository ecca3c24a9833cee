"""Similarity and distance in the four metrics, by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from facecli.kinds import METRICS
from facecli.matching.metrics import cosine_similarity, distance, pairwise

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


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("length", [1e-3, 1, 50])
def test_each_with_each_is_what_one_by_one_is(metric: Any, length: float) -> None:
    random = np.random.default_rng(0)
    a, b = (length * random.normal(size=(count, 128)).astype(np.float32) for count in (5, 7))
    table = pairwise(a, b, metric)
    assert table.shape == (5, 7)
    for row, found in zip(a, table, strict=True):
        assert found == pytest.approx(distance(np.broadcast_to(row, b.shape), b, metric), rel=1e-9)
    copies = pairwise(a, a.copy(), metric).diagonal()
    assert copies.max() < 1e-6


def test_each_with_each_of_a_zero_embedding_and_of_none() -> None:
    assert pairwise(A * 0, A, "cosine").tolist() == [[1]]
    assert pairwise(A, A[:0], "euclidean").shape == (1, 0)


def test_a_zero_embedding_is_like_nothing_and_not_nan() -> None:
    assert cosine_similarity(A, A * 0)[0] == 0
