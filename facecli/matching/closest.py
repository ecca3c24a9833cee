"""TODO: facecli.matching.closest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facecli.contract import Metric
from facecli.errors import UsageError
from facecli.matching.metrics import cosine_similarity, distance
from facecli.matching.thresholds import Decision
from facecli.types import FloatArray

FUSED_THRESHOLD = 1.0  # of the mean of distance / threshold


@dataclass(frozen=True, slots=True)
class Closest:
    """The most alike pair of faces of two pictures: their rows, and how alike they are."""

    rows: tuple[int, int]
    distance: float
    similarity: float


def closest(a: FloatArray, b: FloatArray, metric: Metric) -> Closest:
    """The pair of rows of (N, dim) and (M, dim) embeddings with the smallest distance; N, M >= 1."""
    first, second = np.repeat(a, len(b), axis=0), np.tile(b, (len(a), 1))
    distances = distance(first, second, metric)
    best = int(np.argmin(distances))
    similarity = float(cosine_similarity(first[best : best + 1], second[best : best + 1])[0])
    return Closest((best // len(b), best % len(b)), float(distances[best]), similarity)


@dataclass(frozen=True, slots=True)
class Fused:
    """What several recognizers say of the most alike pair of faces: the pair's rows, and what each says of it.

    score: the mean of their distances, each divided by its threshold; the same person up to FUSED_THRESHOLD.
    """

    rows: tuple[int, int]
    score: float
    parts: tuple[Closest, ...]


def fuse(a: Sequence[FloatArray], b: Sequence[FloatArray], rules: Sequence[Decision]) -> Fused:
    """Join what recognizers say of two pictures' faces: per recognizer (N, dim) and (M, dim), and its rule; N, M >= 1.

    All judge the same pair of faces: that with the smallest score. A threshold of 0 can not be divided by: UsageError.
    """
    if any(rule.threshold <= 0 for rule in rules):
        raise UsageError("recognizers with a threshold of 0 can not be joined", hint="give one --recognizer")
    rows = [(i, j) for i in range(len(a[0])) for j in range(len(b[0]))]
    first, second = (list(column) for column in zip(*rows, strict=True))
    distances = [distance(x[first], y[second], rule.metric) for x, y, rule in zip(a, b, rules, strict=True)]
    scores = np.mean([own / rule.threshold for own, rule in zip(distances, rules, strict=True)], axis=0)
    best = int(np.argmin(scores))
    i, j = rows[best]
    parts = tuple(
        Closest((i, j), float(own[best]), float(cosine_similarity(x[[i]], y[[j]])[0]))
        for own, x, y in zip(distances, a, b, strict=True)
    )
    return Fused((i, j), float(scores[best]), parts)
