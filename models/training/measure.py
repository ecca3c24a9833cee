"""Figures of classifiers: accuracy with its interval, confusion, calibration error and the temperature against it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating]
Labels = NDArray[np.integer]

BINS = 15  # of equal width, over the confidence; as in arXiv 1706.04599
_QUANTILE = 1.959964  # of the normal distribution: 95 % lie within so many standard deviations
# From sharpening tenfold to softening tenfold, 1 % apart.
_TEMPERATURES = np.exp(np.arange(-2.3, 2.3, 0.01))


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability plot: the number of its pictures, their mean confidence, and their accuracy."""

    count: int
    confidence: float
    accuracy: float


def accuracy(probabilities: Numbers, labels: Labels) -> float:
    """Return the part of the rows of (N, C) probabilities whose likeliest class is the label (N,)."""
    return float((probabilities.argmax(1) == labels).mean())


def wilson(part: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a part that was seen in `count` trials (Wilson 1927)."""
    squared = _QUANTILE**2 / count
    middle = (part + squared / 2) / (1 + squared)
    reach = _QUANTILE / (1 + squared) * math.sqrt(part * (1 - part) / count + squared / (4 * count))
    return middle - reach, middle + reach


def paired_difference(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return how much more often `one` is right than `other`, and the 95 % interval of that (Wald's).

    one, other: (N,), True where a classifier is right on picture N.
    """
    difference = one.astype(float) - other
    reach = _QUANTILE * float(difference.std()) / math.sqrt(len(difference))
    mean = float(difference.mean())
    return mean, mean - reach, mean + reach


def confusion(probabilities: Numbers, labels: Labels) -> NDArray[np.int64]:
    """Return (C, C) counts; the row is the label, the column the likeliest class."""
    classes = probabilities.shape[1]
    pairs = labels * classes + probabilities.argmax(1)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def reliability(probabilities: Numbers, labels: Labels) -> list[Bin]:
    """Return the BINS of (N, C) probabilities by confidence, that is by their largest value, without empty bins."""
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = [np.flatnonzero(place == index) for index in range(BINS)]
    return [Bin(len(r), float(confidence[r].mean()), float(right[r].mean())) for r in rows if len(r)]


def calibration_error(probabilities: Numbers, labels: Labels) -> float:
    """Return the expected calibration error (arXiv 1706.04599): |accuracy - confidence|, averaged over the pictures.

    Both are taken per bin of `reliability`.
    """
    bins = reliability(probabilities, labels)
    return sum(b.count * abs(b.confidence - b.accuracy) for b in bins) / len(labels)


def with_temperature(probabilities: Numbers, temperature: float) -> Numbers:
    """Return probabilities with their logarithms divided by a temperature; above 1 they get more even."""
    logits = np.log(np.maximum(probabilities, 1e-30)) / temperature
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


def best_temperature(probabilities: Numbers, labels: Labels) -> float:
    """Return the temperature of the least cross-entropy (arXiv 1706.04599), to four places."""
    rows = np.arange(len(labels))
    losses = [
        -np.log(np.maximum(with_temperature(probabilities, t)[rows, labels], 1e-30)).mean() for t in _TEMPERATURES
    ]
    return round(float(_TEMPERATURES[int(np.argmin(losses))]), 4)
