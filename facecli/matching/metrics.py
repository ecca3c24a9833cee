"""Similarity and distance of embeddings, in the metrics that a threshold can be stated in."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from facecli.kinds import COHORT, PointMetric
from facecli.types import FloatArray

# Squared distance of two rows in parts of the sum of their squares: below it only rounding tells them apart.
COPIES = 1e-13


def similarity(a: FloatArray, b: FloatArray, metric: PointMetric) -> NDArray[np.float64]:
    """Return the cosine similarity of each row of `a` with the row of `b` at its place, for rows made for a metric.

    a, b: as `distance` takes them.
    """
    return cosine_similarity(a[:, :-1], b[:, :-1]) if metric == COHORT else cosine_similarity(a, b)


def cosine_similarity(a: FloatArray, b: FloatArray) -> NDArray[np.float64]:
    """Return the cosine similarity of each row of `a` with the row of `b` at its place.

    a, b: (N, dim) float32 embeddings of any length. The result is (N,) float64 in [-1, 1], higher is more alike; a row
    of zeros has a similarity of 0 with every other.
    """
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(a64, axis=1) * np.linalg.norm(b64, axis=1)
    dot: NDArray[np.float64] = (a64 * b64).sum(1)
    similarity: NDArray[np.float64] = np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 0)
    return similarity.clip(-1.0, 1.0)


def distance(a: FloatArray, b: FloatArray, metric: PointMetric) -> NDArray[np.float64]:
    """Return the distance of each row of `a` to the row of `b` at its place: (N,) float64, lower is more alike.

    a, b: (N, dim) float32 embeddings. metric: "cosine" is 1 - cosine similarity; "euclidean" the length of the
    difference of the rows as they are; "euclidean_l2" that length after both rows are scaled to length 1; "angular" the
    angle between the rows divided by pi. "cohort" is the cosine distance beside a cohort, and takes (N, dim + 1)
    templates of matching.cohort.
    """
    if metric == "euclidean":
        return np.asarray(np.linalg.norm(a.astype(np.float64) - b.astype(np.float64), axis=1))
    if metric == COHORT:
        return _beside(similarity(a, b, metric), a[:, -1], b[:, -1])
    return _of_similarity(cosine_similarity(a, b), metric)


def pairwise(a: FloatArray, b: FloatArray, metric: PointMetric) -> NDArray[np.float64]:
    """Return the distance of each row of `a` to each row of `b`: (N, M) float64, up to rounding that of `distance`.

    a, b: (N, dim) and (M, dim) float32 embeddings, or templates as in `distance`. Of many rows take blocks: the result
    and a few more like it are in memory at once.
    """
    if metric == COHORT:
        return _beside(1.0 - pairwise(a[:, :-1], b[:, :-1], "cosine"), a[:, None, -1], b[None, :, -1])
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    dot: NDArray[np.float64] = a64 @ b64.T
    squares_a, squares_b = (a64**2).sum(1)[:, None], (b64**2).sum(1)
    if metric == "euclidean":
        sums = squares_a + squares_b
        squares = sums - 2.0 * dot
        return np.asarray(np.sqrt(np.where(squares > COPIES * sums, squares, 0.0)))
    lengths = np.sqrt(squares_a) * np.sqrt(squares_b)
    alike = np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 0)
    return _of_similarity(alike.clip(-1.0, 1.0), metric)


def _of_similarity(alike: NDArray[np.float64], metric: PointMetric) -> NDArray[np.float64]:
    """Return cosine similarities as distances in a metric that depends on directions alone."""
    if metric == "cosine":
        return np.asarray(1.0 - alike)
    if metric == "euclidean_l2":
        return np.asarray(np.sqrt(2.0 * (1.0 - alike)))
    return np.asarray(np.arccos(alike) / math.pi)


def _beside(alike: NDArray[np.float64], a: FloatArray, b: FloatArray) -> NDArray[np.float64]:
    """Return cosine similarities as distances beside a cohort. a, b: the faces' constants, see matching.cohort."""
    return np.asarray(np.maximum(1.0 - alike + (a.astype(np.float64) + b) / 2, 0.0))
