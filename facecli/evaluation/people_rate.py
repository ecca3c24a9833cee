"""A rate over searches of which several are of one person: its interval is over people, not over pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.evaluation.rates import wilson


@dataclass(frozen=True, slots=True)
class PeopleRate:
    """A share of searches: `count` of `total`, of so many `people`, with its 95 % interval.

    The interval is Wilson's for as many independent searches as tell no less than these do: the variance between people
    says how many that are (J. Rao and A. Scott, "A simple method for the analysis of clustered binary data", 1992).
    """

    count: int
    total: int
    people: int
    interval: tuple[float, float]

    @property
    def value(self) -> float:
        """Return the share, 0 to 1."""
        return self.count / self.total


def people_rate(hits: NDArray[np.bool_], people: NDArray[np.int64], pictures: float) -> PeopleRate | None:
    """Return the rate of `hits`, (S,), among searches of `people`, (S,); None if there is no search.

    pictures: how many different ones were searched for; a picture that is searched for again tells little more.
    """
    total = len(hits)
    if not total:
        return None
    _, who = np.unique(people, return_inverse=True)
    searches, found = np.bincount(who), np.bincount(who, weights=hits)
    count, number = int(hits.sum()), len(searches)
    share = count / total
    # Without an error, or without a success, nothing varies: as many independent searches as there are people.
    independent = float(number)
    if 0 < count < total and number > 1:
        variance = ((found - share * searches) ** 2).sum() / total**2 * number / (number - 1)
        independent = share * (1 - share) / variance if variance > 0 else pictures
    return PeopleRate(count, total, number, wilson(share, min(independent, pictures)))
