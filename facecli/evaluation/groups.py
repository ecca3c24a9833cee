"""Error rates by group of people, and how far apart they lie, as NISTIR 8429 and ISO/IEC 19795-10 sum them up.

A comparison belongs to a group if both of its faces do: a threshold that keeps strangers of all kinds apart may still
take people of one group for each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facecli.evaluation.error_curve import Distances
from facecli.evaluation.rates import Rate, rate_of
from facecli.evaluation.recognition import Truth


@dataclass(frozen=True, slots=True)
class GroupRates:
    """The error rates of the comparisons within one group; one is None if nothing of its kind was compared."""

    name: str
    fmr: Rate | None
    fnmr: Rate | None


@dataclass(frozen=True, slots=True)
class Differential:
    """The distance of one error rate between groups. worst, best: the groups in which it is highest and lowest.

    highest, lowest: the rate there. mean: of all groups' rates. geometric_mean: 0 as soon as one group has no error.
    """

    worst: str
    best: str
    highest: float
    lowest: float
    mean: float
    geometric_mean: float

    @property
    def worst_over_geometric_mean(self) -> float | None:
        """Return P. Grother's summary (NISTIR 8429, 2022), 1 if all are alike; None if a group has no error."""
        return self.highest / self.geometric_mean if self.geometric_mean else None

    @property
    def worst_over_best(self) -> float | None:
        """Return the plain ratio of the two ends; None if the best group has no error."""
        return self.highest / self.lowest if self.lowest else None


@dataclass(frozen=True, slots=True)
class GroupedRates:
    """The rates of every group, the group with the highest FMR first.

    by: the columns that made the groups. without_group: the number of mated and of non-mated comparisons that belong to
    no group, or to two.
    """

    by: tuple[str, ...]
    groups: tuple[GroupRates, ...]
    without_group: tuple[int, int]

    @property
    def fmr(self) -> Differential | None:
        """Return how far the false match rate differs; None if no group has a non-mated comparison."""
        return self._differential(lambda group: group.fmr)

    @property
    def fnmr(self) -> Differential | None:
        """Return how far the false non-match rate differs; None if no group has a mated comparison."""
        return self._differential(lambda group: group.fnmr)

    def _differential(self, kind: Callable[[GroupRates], Rate | None]) -> Differential | None:
        return differential({group.name: rate.value for group in self.groups if (rate := kind(group)) is not None})


def differential(rates: Mapping[str, float]) -> Differential | None:
    """Return how far the rates of groups differ, None if there are none. rates: group's name -> rate, 0 to 1."""
    if not rates:
        return None
    worst, best = max(rates, key=rates.__getitem__), min(rates, key=rates.__getitem__)
    product = math.exp(sum(map(math.log, rates.values())) / len(rates)) if rates[best] else 0.0
    return Differential(worst, best, rates[worst], rates[best], sum(rates.values()) / len(rates), product)


def grouped(by: Sequence[str], groups: Sequence[GroupRates], without_group: tuple[int, int]) -> GroupedRates:
    """Return the rates of groups in their order: the highest FMR first, those without one last, then by name."""
    order = sorted(groups, key=lambda group: (1.0 if group.fmr is None else -group.fmr.value, group.name))
    return GroupedRates(tuple(by), tuple(order), without_group)


def group_rates(
    by: Sequence[str], names: Sequence[str | None], distances: Distances, same: Truth, threshold: float
) -> GroupedRates:
    """Return the rates of the groups of labelled pairs at a threshold.

    names: of each pair its group, None for none. distances, same: as in `recognition.evaluate`. by: the columns that
    made the names.
    """
    compared = ~np.isnan(distances)
    group_of = np.array([name or "" for name in names])
    groups = []
    for name in sorted({name for name in names if name}):
        own = compared & (group_of == name)
        mated, non_mated = distances[own & same], distances[own & ~same]
        false, missed = int((non_mated <= threshold).sum()), int((mated > threshold).sum())
        groups.append(GroupRates(name, rate_of(false, len(non_mated)), rate_of(missed, len(mated))))
    rest = compared & (group_of == "")
    return grouped(by, groups, (int((rest & same).sum()), int((rest & ~same).sum())))
