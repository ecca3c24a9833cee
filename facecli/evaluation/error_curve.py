"""Errors at every threshold: the ROC curve, the point at a wanted false match rate, and the most accurate threshold.

Terms are those of ISO/IEC 19795-1: a comparison is mated (of one person) or non-mated, and distance <= threshold
decides "same person". FMR is the share of non-mated comparisons that are accepted, FNMR of mated ones that are
rejected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.evaluation.rates import Rate, trust_note

Distances = NDArray[np.float64]

# Smallest useful threshold, in any metric. Two pictures closer than this are copies of one file; only rounding tells
# them apart.
LEAST = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """Every operating point of a set of comparisons, the strictest first: thresholds, FMR and FNMR, (K,) float64 each.

    The first point accepts nothing; its threshold is -inf.
    """

    thresholds: Distances
    fmr: Distances
    fnmr: Distances

    @property
    def eer(self) -> float:
        """Return the equal error rate: FMR = FNMR on the straight line between the two points around it."""
        lead = self.fmr - self.fnmr  # ascends from -1 to 1
        after = int(np.argmax(lead >= 0))
        weight = -lead[after - 1] / (lead[after] - lead[after - 1])
        return float(self.fmr[after - 1] + weight * (self.fmr[after] - self.fmr[after - 1]))


@dataclass(frozen=True, slots=True)
class FmrPoint:
    """The operating point with the most matches among those whose measured FMR is at most `fmr`.

    threshold: every threshold up to the next false match gives the same decisions; the smallest of them is reported. If
    only exact copies lie below that match, the threshold is the largest number that still excludes it. false_matches:
    the number of non-mated comparisons that it accepts. match_rate: the share of mated comparisons that it accepts, 1 -
    FNMR. note: how far the point can be trusted; threshold and match_rate are None where the note says why.
    """

    fmr: float
    threshold: float | None
    false_matches: int
    match_rate: Rate | None
    note: str | None


def roc(mated: Distances, non_mated: Distances) -> Roc:
    """Return the curve of (N,) mated and (M,) non-mated distances in ascending order; N, M >= 1."""
    thresholds, matches, false_matches = _accepted(mated, non_mated)
    return Roc(thresholds, false_matches / len(non_mated), 1 - matches / len(mated))


def at_fmr(mated: Distances, non_mated: Distances, fmr: float, total: int | None = None) -> FmrPoint:
    """Return the operating point for a false match rate.

    mated, non_mated: (N,) and (M,) distances in ascending order. total: the number of non-mated comparisons, if these
    are only the smallest of their distances; there must be more of them than fmr * total. Fewer than 1 / fmr non-mated
    comparisons can not show the rate: the point is then the one without a false match, and its note says so. If so many
    non-mated pairs are copies of each other that no threshold keeps the rate, there is no threshold, and the note gives
    their number.
    """
    if not len(mated) or not len(non_mated):
        return FmrPoint(fmr, None, 0, None, "takes mated and non-mated comparisons")
    total = len(non_mated) if total is None else total
    allowed = math.floor(fmr * total + 1e-9)
    thresholds, matches, false_matches = _accepted(mated, non_mated)
    place = int(np.searchsorted(false_matches, allowed, "right")) - 1
    errors = int(false_matches[place])
    note = trust_note(errors)
    if not allowed:
        note = f"the point of no false match: {total} non-mated comparisons can not show a rate of {fmr:g}"
    threshold = float(thresholds[place])
    if threshold < LEAST:
        threshold = _before(float(thresholds[min(place + 1, len(thresholds) - 1)]))
    if threshold < LEAST:
        return FmrPoint(fmr, None, 0, None, f"no threshold keeps it: {copies_note(non_mated, total)}")
    return FmrPoint(fmr, threshold, errors, Rate(int(matches[place]), len(mated)), note)


def copies_note(non_mated: Distances, total: int) -> str:
    """Return a text with the number of non-mated comparisons, of `total`, that have no distance but rounding."""
    return f"{int((non_mated < LEAST).sum())} of {total} non-mated comparisons have no distance"


def most_accurate(mated: Distances, non_mated: Distances) -> tuple[int, float]:
    """Return the largest number of correct decisions that one threshold can make, and the strictest such threshold.

    mated, non_mated: distances in ascending order; either may be empty. The threshold lies half-way to the next larger
    distance.
    """
    thresholds, matches, false_matches = _accepted(mated, non_mated)
    correct = matches - false_matches + len(non_mated)
    best = int(np.argmax(correct))
    low, high = float(thresholds[best]), float(thresholds[min(best + 1, len(thresholds) - 1)])
    if math.isinf(low):  # nothing is accepted, or there was nothing to compare
        return int(correct[best]), 0.0 if math.isinf(high) else _before(high)
    return int(correct[best]), (low + high) / 2


def _accepted(mated: Distances, non_mated: Distances) -> tuple[Distances, NDArray[np.intp], NDArray[np.intp]]:
    """Return each threshold that changes a decision, -inf first, and the mated and non-mated pairs that it accepts."""
    thresholds = np.concatenate([[-np.inf], np.unique(np.concatenate([mated, non_mated]))])
    return thresholds, np.searchsorted(mated, thresholds, "right"), np.searchsorted(non_mated, thresholds, "right")


def _before(distance: float) -> float:
    """Return the largest threshold that still excludes `distance`."""
    return math.nextafter(distance, -math.inf)
