"""How good probabilities are: accuracy with its interval, confusion, calibration and the temperature that mends it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating]
Labels = NDArray[np.integer]

BINS = 15  # of the confidence, as in arXiv 1706.04599
_QUANTILE = 1.959964  # of the normal distribution, for 95 %
# Temperatures that are tried: from sharpening tenfold to softening tenfold, 1 % apart.
_TEMPERATURES = np.exp(np.arange(-2.3, 2.3, 0.01))


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability plot: the pictures whose confidence lies in it."""

    count: int
    confidence: float
    accuracy: float


def accuracy(probabilities: Numbers, labels: Labels) -> float:
    """The part of the rows (N, C) whose likeliest class is the label (N,)."""
    return float((probabilities.argmax(1) == labels).mean())


def wilson(part: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a part seen in `count` trials (Wilson 1927)."""
    squared = _QUANTILE**2 / count
    middle = (part + squared / 2) / (1 + squared)
    reach = _QUANTILE / (1 + squared) * math.sqrt(part * (1 - part) / count + squared / (4 * count))
    return middle - reach, middle + reach


def paired(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[float, float, float]:
    """How much more often `one` is right than `other` on the same pictures, and its 95 % interval (Wald's)."""
    difference = one.astype(float) - other
    reach = _QUANTILE * float(difference.std()) / math.sqrt(len(difference))
    mean = float(difference.mean())
    return mean, mean - reach, mean + reach


def confusion(probabilities: Numbers, labels: Labels) -> NDArray[np.int64]:
    """(C, C) counts: row the label, column the likeliest class."""
    classes = probabilities.shape[1]
    pairs = labels * classes + probabilities.argmax(1)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def reliability(probabilities: Numbers, labels: Labels) -> list[Bin]:
    """Rows by confidence, in BINS bins of equal width; empty ones are left out."""
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = [np.flatnonzero(place == index) for index in range(BINS)]
    return [Bin(len(r), float(confidence[r].mean()), float(right[r].mean())) for r in rows if len(r)]


def calibration_error(probabilities: Numbers, labels: Labels) -> float:
    """The expected calibration error: the mean distance of accuracy from confidence, over `reliability`'s bins."""
    bins = reliability(probabilities, labels)
    return sum(b.count * abs(b.confidence - b.accuracy) for b in bins) / len(labels)


def tempered(probabilities: Numbers, temperature: float) -> Numbers:
    """The probabilities with their logarithms divided by a temperature; above 1 they get more even."""
    logits = np.log(np.maximum(probabilities, 1e-30)) / temperature
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


def best_temperature(probabilities: Numbers, labels: Labels) -> float:
    """The temperature of the least cross-entropy (arXiv 1706.04599), to four places."""
    rows = np.arange(len(labels))
    losses = [-np.log(np.maximum(tempered(probabilities, t)[rows, labels], 1e-30)).mean() for t in _TEMPERATURES]
    return round(float(_TEMPERATURES[int(np.argmin(losses))]), 4)
