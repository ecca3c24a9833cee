"""A number that a model knows as the probabilities of ranges, such as an age: its mean, its spread, an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from facecli.contract import Bin
from facecli.types import FloatArray

_OUTSIDE = 0.1  # the probability on either side of the interval


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its uncertainty, in the attribute's unit.

    value: the mean of the distribution. spread: its standard deviation. low, high: the number lies between them with a
    probability of 80 %, and below and above them with 10 % each.
    """

    value: float
    spread: float
    low: float
    high: float


def estimate(bins: Sequence[Bin], row: FloatArray) -> Estimate:
    """Return the number that (C,) float32 probabilities of as many ranges stand for.

    Inside a range every number counts as equally likely.
    """
    shares = [float(p) for p in row]
    values = [(part.low + part.high) / 2 if part.value is None else part.value for part in bins]
    mean = sum(p * value for p, value in zip(shares, values, strict=True))
    # The variance of a mixture: that of the ranges' numbers, and that inside each range (uniform: width^2 / 12).
    within = [(part.high - part.low) ** 2 / 12 for part in bins]
    variance = sum(p * ((v - mean) ** 2 + own) for p, v, own in zip(shares, values, within, strict=True))
    low, high = (_quantile(bins, shares, part) for part in (_OUTSIDE, 1 - _OUTSIDE))
    return Estimate(mean, math.sqrt(variance), low, high)


def _quantile(bins: Sequence[Bin], shares: Sequence[float], part: float) -> float:
    """Return the number below which the part `part` of the probability lies."""
    below, wanted = 0.0, part * sum(shares)
    for one, share in zip(bins, shares, strict=True):
        if below + share >= wanted and share > 0:
            return one.low + (one.high - one.low) * (wanted - below) / share
        below += share
    return bins[-1].high
