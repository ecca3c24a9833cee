"""How well distances tell people apart: error rates over many comparisons, named as in ISO/IEC 19795-1.

A comparison is mated (same person) or non-mated; distance <= threshold says "same person". A pair of which a picture
gave no face has no comparison (failure to acquire, FTA): its distance is NaN. It enters neither FMR nor FNMR; it
counts as rejected in FAR and FRR, and never as a correct decision, so that a detector can not gain by giving up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Distances = NDArray[np.float64]
Truth = NDArray[np.bool_]

FOLDS = 10
REPORTED_FMR = (1e-2, 1e-3)
ENOUGH = 30  # G. Doddington's rule of 30: with 30 errors the true rate is within 30 % of the measured, at 90 %
LEAST = 1e-6  # of a threshold, in any metric: what passes below it are copies, apart by rounding alone
Z95 = 1.959964  # the normal distribution's 97.5 % quantile


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `total` > 0, with a 95 % interval: E. B. Wilson, "Probable inference", JASA 1927.

    The interval takes the comparisons as independent; where they share people it is too narrow.
    """

    count: int
    total: int

    @property
    def value(self) -> float:
        """The proportion, 0 to 1."""
        return self.count / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The lower and the upper end."""
        share, extra = self.value, Z95**2 / self.total
        centre = (share + extra / 2) / (1 + extra)
        half = Z95 / (1 + extra) * math.sqrt(share * (1 - share) / self.total + extra / self.total / 4)
        return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """Every operating point there is, strictest first: thresholds, FMR and FNMR, each (K,) float64.

    The first one accepts nothing; its threshold is -inf.
    """

    thresholds: Distances
    fmr: Distances
    fnmr: Distances

    @property
    def eer(self) -> float:
        """The equal error rate: where FMR = FNMR on the straight line between the two points around it."""
        lead = self.fmr - self.fnmr  # ascends from -1 to 1
        after = int(np.argmax(lead >= 0))
        weight = -lead[after - 1] / (lead[after] - lead[after - 1])
        return float(self.fmr[after - 1] + weight * (self.fmr[after] - self.fmr[after - 1]))


@dataclass(frozen=True, slots=True)
class AtFmr:
    """How many of the same person are recognised (1 - FNMR) at the largest distance found with FMR <= `fmr`.

    Thresholds from there to the next false match decide these comparisons alike, and the strictest is told. Where no
    distance but those of copies lies below the false match, it is the number just below that. false_matches: how many
    the FMR rests on. match_rate and threshold are None where `note` says why.
    """

    fmr: float
    threshold: float | None
    false_matches: int
    match_rate: Rate | None
    note: str | None


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Accuracy with the threshold chosen on the other folds: mean over the folds and their standard deviation."""

    folds: int
    accuracy: float
    std: float


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a set of comparisons says about a recognizer at a threshold.

    accuracy: correct decisions of all pairs. fmr, fnmr: of the comparisons made. far, frr: of all pairs, those without
    a comparison being rejected. None: there is no comparison of that kind (for cross_validation: fewer than 10).
    """

    threshold: float
    accuracy: Rate
    fmr: Rate | None
    fnmr: Rate | None
    far: Rate | None
    frr: Rate | None
    best_accuracy: Rate
    best_threshold: float
    at_fmr: tuple[AtFmr, ...]
    cross_validation: CrossValidation | None
    roc: Roc | None

    @property
    def useful_threshold(self) -> float | None:
        """best_threshold; None where only copies pass it, or one kind was not compared, so that any is as good."""
        return self.best_threshold if self.roc and self.best_threshold >= LEAST else None


def evaluate(distances: Distances, same: Truth, threshold: float) -> Evaluation:
    """Judge (N,) distances, NaN where there was no comparison, against (N,) truth; N >= 1."""
    mated, non_mated = (np.sort(distances[(same == kind) & ~np.isnan(distances)]) for kind in (True, False))
    missed, false = int((mated > threshold).sum()), int((non_mated <= threshold).sum())
    all_mated, all_non_mated = int(same.sum()), int((~same).sum())
    best, best_threshold = _best(mated, non_mated)
    curve = roc(mated, non_mated) if len(mated) and len(non_mated) else None
    return Evaluation(
        threshold=threshold,
        accuracy=Rate(len(mated) - missed + len(non_mated) - false, len(same)),
        fmr=_rate(false, len(non_mated)),
        fnmr=_rate(missed, len(mated)),
        far=_rate(false, all_non_mated),
        frr=_rate(missed + all_mated - len(mated), all_mated),
        best_accuracy=Rate(best, len(same)),
        best_threshold=best_threshold,
        at_fmr=tuple(at_fmr(mated, non_mated, fmr) for fmr in REPORTED_FMR),
        cross_validation=cross_validate(distances, same),
        roc=curve,
    )


def roc(mated: Distances, non_mated: Distances) -> Roc:
    """The curve of (N,) mated and (M,) non-mated distances in ascending order; N, M >= 1."""
    thresholds, matches, false_matches = _accepted(mated, non_mated)
    return Roc(thresholds, false_matches / len(non_mated), 1 - matches / len(mated))


def at_fmr(mated: Distances, non_mated: Distances, fmr: float) -> AtFmr:
    """The operating point for a rate, of distances in ascending order.

    Fewer than 1 / fmr non-mated comparisons can not show the rate: the point is then that of no false match, and the
    note says so. So it does where so many of them have no distance that no threshold keeps the rate.
    """
    if not len(mated) or not len(non_mated):
        return AtFmr(fmr, None, 0, None, "takes mated and non-mated comparisons")
    allowed = math.floor(fmr * len(non_mated) + 1e-9)
    thresholds, matches, false_matches = _accepted(mated, non_mated)
    point = int(np.searchsorted(false_matches, allowed, "right")) - 1
    false = int(false_matches[point])
    note = None if false >= ENOUGH else f"rests on {false} false matches; {ENOUGH} make it good to 30 %"
    if not allowed:
        note = f"the point of no false match: {len(non_mated)} non-mated comparisons can not show a rate of {fmr:g}"
    threshold = float(thresholds[point])
    if threshold < LEAST:
        threshold = _before(float(thresholds[min(point + 1, len(thresholds) - 1)]))
    if threshold < LEAST:
        return AtFmr(fmr, None, 0, None, f"no threshold keeps it: {without_distance(non_mated)}")
    return AtFmr(fmr, threshold, false, Rate(int(matches[point]), len(mated)), note)


def without_distance(non_mated: Distances) -> str:
    """How many non-mated comparisons are of faces between which there is nothing but rounding, in words."""
    return f"{int((non_mated < LEAST).sum())} of {len(non_mated)} non-mated comparisons have no distance"


def cross_validate(distances: Distances, same: Truth) -> CrossValidation | None:
    """Ten folds, runs of the pairs in their order (in LFW's own order its ten sets, which share nobody)."""
    if min(same.sum(), (~same).sum()) < FOLDS:
        return None
    fold = np.empty(len(same), np.int64)
    for kind in (True, False):
        own = np.flatnonzero(same == kind)
        fold[own] = np.arange(len(own)) * FOLDS // len(own)
    compared = ~np.isnan(distances)
    accuracies = []
    for held in range(FOLDS):
        rest, test = compared & (fold != held), fold == held
        threshold = _best(np.sort(distances[rest & same]), np.sort(distances[rest & ~same]))[1]
        accuracies.append((compared & ((distances <= threshold) == same))[test].mean())
    return CrossValidation(FOLDS, float(np.mean(accuracies)), float(np.std(accuracies, ddof=1)))


def _accepted(mated: Distances, non_mated: Distances) -> tuple[Distances, NDArray[np.intp], NDArray[np.intp]]:
    """Every threshold that changes a decision, -inf first, and how many of either kind it accepts."""
    thresholds = np.concatenate([[-np.inf], np.unique(np.concatenate([mated, non_mated]))])
    return thresholds, np.searchsorted(mated, thresholds, "right"), np.searchsorted(non_mated, thresholds, "right")


def _best(mated: Distances, non_mated: Distances) -> tuple[int, float]:
    """Most correct decisions and the strictest threshold that makes them, half-way to the next larger distance."""
    thresholds, matches, false_matches = _accepted(mated, non_mated)
    correct = matches - false_matches + len(non_mated)
    best = int(np.argmax(correct))
    low, high = float(thresholds[best]), float(thresholds[min(best + 1, len(thresholds) - 1)])
    if math.isinf(low):  # nothing is accepted, or there was nothing to compare
        return int(correct[best]), 0.0 if math.isinf(high) else _before(high)
    return int(correct[best]), (low + high) / 2


def _before(distance: float) -> float:
    """The largest threshold that still excludes `distance`."""
    return math.nextafter(distance, -math.inf)


def _rate(count: int, total: int) -> Rate | None:
    return Rate(count, total) if total else None
