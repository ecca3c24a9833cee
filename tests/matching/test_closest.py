"""The closest pair of faces of two pictures, by one recognizer and by several together."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.errors import UsageError
from facecli.matching.closest import FUSION_THRESHOLD, closest_pair, fuse
from facecli.matching.metrics import distance
from facecli.matching.thresholds import DecisionRule

A = np.array([[3, 4]], np.float32)
B = np.array([[4, 3]], np.float32)


def test_closest_pair() -> None:
    near = closest_pair(np.concatenate([B * 0 + 1, A]), np.concatenate([-A, A, B]), "euclidean")
    assert near.rows == (1, 1)
    assert near.distance == 0
    assert near.similarity == pytest.approx(1)


def test_fused_recognizers_judge_the_same_pair_of_faces() -> None:
    """The first finds (0, 1) closest, the second (1, 0); together (1, 1) is: what each says is said of that pair."""
    a = [np.float32([[1, 0], [0.9, 0.4]]), np.float32([[0, 1], [1, 0.3]])]
    b = [np.float32([[0, 1], [1, 0.05]]), np.float32([[1, 0.3], [1, 0.2]])]
    rules = [DecisionRule("cosine", 0.1, "x"), DecisionRule("euclidean", 0.5, "y")]
    fused = fuse(a, b, rules)
    each = [
        distance(x[[i]], y[[j]], rule.metric)[0] / rule.threshold  # type: ignore[misc]
        for i in range(2)
        for j in range(2)
        for x, y, rule in zip(a, b, rules, strict=True)
    ]
    means = np.reshape(each, (2, 2, 2)).mean(2)
    assert fused.rows == np.unravel_index(means.argmin(), (2, 2))
    assert fused.score == pytest.approx(means.min())
    assert [part.rows for part in fused.parts] == [fused.rows] * 2
    assert fused.score == pytest.approx(
        sum(p.distance / r.threshold for p, r in zip(fused.parts, rules, strict=True)) / 2
    )


def test_one_recognizer_fused_is_that_recognizer() -> None:
    rows = np.random.default_rng(0).standard_normal((2, 3, 8)).astype(np.float32)
    rule = DecisionRule("cosine", 0.7, "x")
    fused, alone = fuse([rows[0]], [rows[1]], [rule]), closest_pair(rows[0], rows[1], "cosine")
    assert fused.parts == (alone,)
    assert (fused.score <= FUSION_THRESHOLD) == (alone.distance <= rule.threshold)


def test_a_threshold_of_zero_can_not_be_fused() -> None:
    row = [np.ones((1, 2), np.float32)] * 2
    with pytest.raises(UsageError, match="threshold of 0"):
        fuse(row, row, [DecisionRule("cosine", 0, "x"), DecisionRule("cosine", 1, "y")])
