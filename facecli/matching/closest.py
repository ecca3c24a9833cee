"""The pair of faces of two pictures that is most alike, by one recognizer or by several together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facecli.errors import UsageError
from facecli.kinds import PointMetric
from facecli.matching.metrics import distance, similarity
from facecli.matching.thresholds import DecisionRule
from facecli.types import FloatArray

FUSION_THRESHOLD = 1.0  # largest mean of distance / threshold that still means one person


@dataclass(frozen=True, slots=True)
class FacePair:
    """A pair of faces, one of each of two pictures.

    rows: the face's row in each picture's embeddings. distance: in the metric that was asked for. similarity: cosine
    similarity, -1 to 1.
    """

    rows: tuple[int, int]
    distance: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Fusion:
    """The pair of faces that several recognizers together find most alike.

    rows: the face's row in each picture. score: the mean over the recognizers of distance / threshold; up to
    FUSION_THRESHOLD it means one person. parts: the distance and similarity of this one pair, per recognizer.
    """

    rows: tuple[int, int]
    score: float
    parts: tuple[FacePair, ...]


def closest_pair(a: FloatArray, b: FloatArray, metric: PointMetric) -> FacePair:
    """Return the pair of rows with the smallest distance.

    a, b: (N, dim) and (M, dim) embeddings, or templates for the metric "cohort"; N, M >= 1.
    """
    first, second = np.repeat(a, len(b), axis=0), np.tile(b, (len(a), 1))
    distances = distance(first, second, metric)
    best = int(np.argmin(distances))
    alike = float(similarity(first[best : best + 1], second[best : best + 1], metric)[0])
    return FacePair((best // len(b), best % len(b)), float(distances[best]), alike)


def fuse(a: Sequence[FloatArray], b: Sequence[FloatArray], rules: Sequence[DecisionRule]) -> Fusion:
    """Return the pair of faces with the smallest mean of distance / threshold over several recognizers.

    a, b: the embeddings of the two pictures, for each recognizer (N, dim) and (M, dim) as in `closest_pair`; N, M >= 1,
    and the same for all of them. rules: the rule of each recognizer. Raises UsageError for a threshold of 0, which
    nothing can be divided by.
    """
    if any(rule.threshold <= 0 for rule in rules):
        raise UsageError(
            "recognizers with a threshold of 0 can not be joined", hint="give one {recognizer}", about="recognizer"
        )
    rows = [(i, j) for i in range(len(a[0])) for j in range(len(b[0]))]
    first, second = (list(column) for column in zip(*rows, strict=True))
    distances = [distance(x[first], y[second], rule.metric) for x, y, rule in zip(a, b, rules, strict=True)]
    scores = np.mean([part / rule.threshold for part, rule in zip(distances, rules, strict=True)], axis=0)
    best = int(np.argmin(scores))
    i, j = rows[best]
    parts = tuple(
        FacePair((i, j), float(part[best]), float(similarity(x[[i]], y[[j]], rule.metric)[0]))
        for part, x, y, rule in zip(distances, a, b, rules, strict=True)
    )
    return Fusion((i, j), float(scores[best]), parts)
