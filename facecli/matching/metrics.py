"""Similarity and distance of embeddings, in the four metrics that a threshold can be stated in."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from facecli.contract import Metric
from facecli.types import FloatArray

# Squared distance of two rows in parts of the sum of their squares: below it only rounding tells them apart.
COPIES = 1e-13


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


def distance(a: FloatArray, b: FloatArray, metric: Metric) -> NDArray[np.float64]:
    """Return the distance of each row of `a` to the row of `b` at its place: (N,) float64, lower is more alike.

    a, b: (N, dim) float32 embeddings. metric: "cosine" is 1 - cosine similarity; "euclidean" the length of the
    difference of the rows as they are; "euclidean_l2" that length after both rows are scaled to length 1; "angular" the
    angle between the rows divided by pi.
    """
    if metric == "euclidean":
        return np.asarray(np.linalg.norm(a.astype(np.float64) - b.astype(np.float64), axis=1))
    return _of_similarity(cosine_similarity(a, b), metric)


def pairwise(a: FloatArray, b: FloatArray, metric: Metric) -> NDArray[np.float64]:
    """Return the distance of each row of `a` to each row of `b`: (N, M) float64, up to rounding that of `distance`.

    a, b: (N, dim) and (M, dim) float32 embeddings. Of many rows take blocks: the result and two more like it are in
    memory at once.
    """
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    dot: NDArray[np.float64] = a64 @ b64.T
    squares_a, squares_b = (a64**2).sum(1)[:, None], (b64**2).sum(1)
    if metric == "euclidean":
        sums = squares_a + squares_b
        squares = sums - 2.0 * dot
        return np.asarray(np.sqrt(np.where(squares > COPIES * sums, squares, 0.0)))
    lengths = np.sqrt(squares_a) * np.sqrt(squares_b)
    similarity: NDArray[np.float64] = np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 0)
    return _of_similarity(similarity.clip(-1.0, 1.0), metric)


def _of_similarity(similarity: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """Return cosine similarities as distances in a metric that depends on directions alone."""
    if metric == "cosine":
        return np.asarray(1.0 - similarity)
    if metric == "euclidean_l2":
        return np.asarray(np.sqrt(2.0 * (1.0 - similarity)))
    return np.asarray(np.arccos(similarity) / math.pi)
