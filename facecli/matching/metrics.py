"""Comparing embeddings: metrics, the threshold that a decision rests on, and which face of a picture is meant."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from facecli.contract import Metric
from facecli.types import FloatArray


def cosine_similarity(a: FloatArray, b: FloatArray) -> NDArray[np.float64]:
    """Row-wise cosine similarity of (N, dim) and (N, dim) embeddings: (N,) in [-1, 1], higher is more alike."""
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(a64, axis=1) * np.linalg.norm(b64, axis=1)
    dot: NDArray[np.float64] = (a64 * b64).sum(1)
    similarity: NDArray[np.float64] = np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 0)
    return similarity.clip(-1.0, 1.0)


def distance(a: FloatArray, b: FloatArray, metric: Metric) -> NDArray[np.float64]:
    """Row-wise distance of (N, dim) and (N, dim) embeddings: (N,), lower is more alike.

    cosine: 1 - similarity. euclidean: L2 of the rows as they are. euclidean_l2: L2 after scaling to length 1.
    angular: the angle divided by pi.
    """
    if metric == "euclidean":
        return np.asarray(np.linalg.norm(a.astype(np.float64) - b.astype(np.float64), axis=1))
    similarity = cosine_similarity(a, b)
    if metric == "cosine":
        return np.asarray(1.0 - similarity)
    if metric == "euclidean_l2":
        return np.asarray(np.sqrt(2.0 * (1.0 - similarity)))
    return np.asarray(np.arccos(similarity) / math.pi)
