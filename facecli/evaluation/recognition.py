"""The error rates of a recognizer over many labelled comparisons, named as in ISO/IEC 19795-1.

A comparison is mated (of one person) or non-mated; distance <= threshold decides "same person". If a picture of a pair
gave no face, there is no comparison (failure to acquire, FTA), and the pair's distance is NaN. It enters neither FMR
nor FNMR; it counts as rejected in FAR and FRR, and never as a correct decision, so that a detector can not gain by
giving up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.evaluation.error_curve import LEAST, Distances, FmrPoint, Roc, at_fmr, most_accurate, roc
from facecli.evaluation.rates import Rate, rate_of

Truth = NDArray[np.bool_]

FOLDS = 10
REPORTED_FMR = (1e-2, 1e-3)


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """The accuracy with the threshold chosen on the other folds: its mean over the folds and standard deviation."""

    folds: int
    accuracy: float
    std: float


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The error rates of a recognizer at a threshold, over a set of labelled pairs.

    accuracy: correct decisions of all pairs. fmr, fnmr: errors of the comparisons that were made. far, frr: errors of
    all pairs, those without a comparison being rejected. best_accuracy, best_threshold: of the threshold that is most
    accurate on these very pairs. at_fmr: the points at the rates of REPORTED_FMR.

    A rate is None if no pair of its kind was compared; roc needs one comparison of each kind, cross_validation 10
    pairs.
    """

    threshold: float
    accuracy: Rate
    fmr: Rate | None
    fnmr: Rate | None
    far: Rate | None
    frr: Rate | None
    best_accuracy: Rate
    best_threshold: float
    at_fmr: tuple[FmrPoint, ...]
    cross_validation: CrossValidation | None
    roc: Roc | None

    @property
    def useful_threshold(self) -> float | None:
        """Return best_threshold, or None if it means nothing: only copies pass it, or one kind was not compared."""
        return self.best_threshold if self.roc and self.best_threshold >= LEAST else None


def evaluate(distances: Distances, same: Truth, threshold: float) -> Evaluation:
    """Return the error rates at a threshold.

    distances: (N,) of the pairs, NaN where there was no comparison; N >= 1. same: (N,), True for a pair of one person.
    """
    mated, non_mated = (np.sort(distances[(same == kind) & ~np.isnan(distances)]) for kind in (True, False))
    missed, false = int((mated > threshold).sum()), int((non_mated <= threshold).sum())
    all_mated, all_non_mated = int(same.sum()), int((~same).sum())
    best, best_threshold = most_accurate(mated, non_mated)
    return Evaluation(
        threshold=threshold,
        accuracy=Rate(len(mated) - missed + len(non_mated) - false, len(same)),
        fmr=rate_of(false, len(non_mated)),
        fnmr=rate_of(missed, len(mated)),
        far=rate_of(false, all_non_mated),
        frr=rate_of(missed + all_mated - len(mated), all_mated),
        best_accuracy=Rate(best, len(same)),
        best_threshold=best_threshold,
        at_fmr=tuple(at_fmr(mated, non_mated, fmr) for fmr in REPORTED_FMR),
        cross_validation=cross_validate(distances, same),
        roc=roc(mated, non_mated) if len(mated) and len(non_mated) else None,
    )


def cross_validate(distances: Distances, same: Truth) -> CrossValidation | None:
    """Return the accuracy over ten folds, or None for fewer than ten pairs of either kind.

    distances, same: as in `evaluate`. A fold is a run of mated and one of non-mated pairs, in their order: in LFW's own
    order these are its ten sets, which share no person.
    """
    if min(same.sum(), (~same).sum()) < FOLDS:
        return None
    fold = np.empty(len(same), np.int64)
    for kind in (True, False):
        places = np.flatnonzero(same == kind)
        fold[places] = np.arange(len(places)) * FOLDS // len(places)
    compared = ~np.isnan(distances)
    accuracies = []
    for test_fold in range(FOLDS):
        rest, test = compared & (fold != test_fold), fold == test_fold
        _, threshold = most_accurate(np.sort(distances[rest & same]), np.sort(distances[rest & ~same]))
        accuracies.append((compared & ((distances <= threshold) == same))[test].mean())
    return CrossValidation(FOLDS, float(np.mean(accuracies)), float(np.std(accuracies, ddof=1)))
