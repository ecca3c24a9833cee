"""The threshold of a gallery: by leaving one person out, or from the rates that a recognizer was measured at.

A threshold for two pictures must not be used among many people: each of them is one more chance to be wrong. Each
person who is searched for among all others is a stranger to them, so a gallery tells by itself how near strangers come.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facecli.errors import UsageError
from facecli.gallery.index import Index
from facecli.gallery.store.records import Point

FEWEST_PEOPLE = 20  # whose strangers are as many: with fewer, one pair of lookalikes decides
SEARCHES_PER_ERROR = 3  # none of 3 / rate searches failing leaves 95 % confidence that the rate is kept (rule of three)
MOST_SEARCHES, BLOCK = 4096, 256  # templates that are searched for, and at once


def leave_one_out(index: Index, rates: tuple[float, ...]) -> list[Point]:
    """Return the thresholds of a gallery at these FPIRs, each template searched for among all other people.

    Every person weighs the same, however many templates there are of each. Of more than MOST_SEARCHES templates, or
    those that the lowest rate takes, an even choice is searched for. Raises UsageError for too small a gallery.
    """
    people, total = len(index.people), len(index.rows)
    searches = searches_for(min(rates), total)
    for rate in rates:
        if reason := too_small(people, searches, rate):
            raise UsageError(reason, hint="enroll more, or give {threshold} or a higher {fpir}", about=_ABOUT)
    chosen = np.linspace(0, total - 1, searches).round().astype(int).tolist()
    blocks = [chosen[start : start + BLOCK] for start in range(0, searches, BLOCK)]
    nearest = np.concatenate([index.without_own(block) for block in blocks])
    owners = np.repeat(np.arange(people), index.counts)[chosen]
    weights = 1.0 / np.bincount(owners, minlength=people)[owners]
    return [Point(rate, _threshold(nearest, weights / weights.sum(), rate), people, searches) for rate in rates]


_ABOUT = ("threshold", "fpir")


def searches_for(rate: float, templates: int) -> int:
    """Return how many of a gallery's templates are searched for to measure the threshold of a rate."""
    return min(templates, max(MOST_SEARCHES, _needed(rate)))


def _needed(rate: float) -> int:
    return int(np.ceil(SEARCHES_PER_ERROR / rate))


def too_small(people: int, searches: int, rate: float) -> str | None:
    """Return why a gallery can not be calibrated at a rate by itself; None if it can."""
    needed = _needed(rate)
    if people >= FEWEST_PEOPLE and searches >= needed:
        return None
    return (
        f"a gallery of {people} people with {searches} templates is too small to calibrate an FPIR of {rate:g}:"
        f" that takes {FEWEST_PEOPLE} people and {needed} templates"
    )


def _threshold(nearest: NDArray[np.float64], weights: NDArray[np.float64], rate: float) -> float:
    """Return the largest threshold that at most `rate` of the searches, by weight, reach."""
    order = np.argsort(nearest)
    values, reached = nearest[order], np.cumsum(weights[order])
    allowed = int(np.searchsorted(reached, rate * (1 + 1e-9), side="right"))  # 3 of 300 are 1 %, rounding or not
    if allowed == 0 or values[allowed - 1] == values[min(allowed, len(values) - 1)]:
        return float(np.nextafter(values[allowed], -np.inf)) if allowed < len(values) else float(values[-1])
    return float(values[allowed - 1])
