"""Calibration: the threshold that keeps a false match rate on a user's own pairs, as an operating point to keep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from facecli.contract import Cohort, OperatingPoint
from facecli.errors import UsageError
from facecli.evaluation.error_curve import Distances, at_fmr, copies_note
from facecli.evaluation.groups import GroupedRates, group_rates
from facecli.evaluation.labelled import compare
from facecli.evaluation.pairs import Pair
from facecli.evaluation.rates import Rate, rate_of, trust_note
from facecli.kinds import COHORT, METRICS, PointMetric
from facecli.matching.cohort import all_templates
from facecli.matching.operating_points import UserOperatingPoint
from facecli.types import FloatArray

# False matches that a rate must rest on: with none among 3 / FMR comparisons, it is below FMR at 95 % (rule of three).
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Calibration:
    """The largest threshold, in one metric, whose measured FMR is at most `target`: of all, or of the worst group.

    interval: the thresholds at which the true FMR may be `target`, at 95 %; the threshold lies in it. fmr, fnmr:
    measured at the threshold, over all comparisons; fnmr is None without mated ones. note: how far the rate can be
    trusted; None if it rests on enough false matches. groups: the rates at the threshold within each group of people;
    None if no groups were asked for.
    """

    target: float
    threshold: float
    interval: tuple[float, float]
    fmr: Rate
    fnmr: Rate | None
    note: str | None
    groups: GroupedRates | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The data of a calibration, for the record.

    pairs: the file name of the list of pairs. failed_pictures: the number of pictures that gave no face. conditions:
    how the faces were chosen, in the words of the caller's interface.
    """

    pairs: str
    failed_pictures: int
    conditions: str


def check_pairs(pairs: Sequence[Pair], target: float, *, worst: bool) -> None:
    """Raise UsageError if labelled pairs are too few for a rate; with `worst` those of any group."""
    others = [pair for pair in pairs if not pair.same]
    check_enough(len(others), target)
    if worst:
        names = sorted({pair.group for pair in pairs if pair.group})
        if not names:
            raise UsageError("no pair belongs to a group", hint="fill in the columns of {by}", about="by")
        for name in names:
            check_enough(sum(pair.group == name for pair in others), target, name)


def check_enough(non_mated: int, target: float, group: str | None = None) -> None:
    """Raise UsageError if so few non-mated comparisons can not show a rate (rule of three). group: None for all."""
    if target * non_mated < FEWEST - 1e-9:
        least = math.ceil(FEWEST / target)
        reachable = f", or ask for {{fmr}} {FEWEST / non_mated:.2g} or more" if non_mated > FEWEST else ""
        whose = "" if group is None else f" of the group {group}"
        raise UsageError(
            f"{non_mated} non-mated comparisons{whose} can not show an FMR of {target:g}: that takes {least} at least",
            hint=f"give more pairs of different people{reachable}",
            about="fmr",
        )


def calibrate(mated: Distances, non_mated: Distances, target: float) -> Calibration:
    """Return the calibration for a false match rate of `target`, 0 to 1.

    mated, non_mated: (N,) and (M,) distances in any order; N may be 0. Raises UsageError for too few non-mated ones,
    and if so many of them are of copies that no threshold above 0 keeps the rate.
    """
    total, mated, non_mated = len(non_mated), np.sort(mated), np.sort(non_mated)
    check_enough(total, target)
    point = at_fmr(mated if len(mated) else non_mated[:1], non_mated, target)
    if point.threshold is None:
        raise UsageError(
            f"no threshold keeps an FMR of {target:g}: {copies_note(non_mated, total)}",
            hint="give more and different pairs of different people; are some pictures copies?",
        )
    low, high = Rate(math.floor(target * total + 1e-9), total).interval
    lower, upper = max(math.floor(low * total), 1), min(math.ceil(high * total), total)
    # Equal distances are all accepted or all rejected, so the threshold may be below the interval's lower rank; the
    # interval is widened to contain it.
    interval = min(float(non_mated[lower - 1]), point.threshold), float(non_mated[upper - 1])
    return Calibration(
        target,
        point.threshold,
        interval,
        Rate(point.false_matches, total),
        rate_of(int((mated > point.threshold).sum()), len(mated)),
        trust_note(point.false_matches),
    )


def calibrate_worst(mated: Distances, by_group: Mapping[str, Distances], target: float) -> Calibration:
    """Return the calibration that keeps a false match rate of `target` within every group of people.

    mated: (N,) distances of all; N may be 0. by_group: name -> (M,) non-mated distances within that group. The FMR is
    that of the group that decides. Raises UsageError as `calibrate` does.
    """
    for name, distances in by_group.items():
        check_enough(len(distances), target, name)
    own = {name: calibrate(mated, distances, target) for name, distances in by_group.items()}
    name = min(own, key=lambda name: own[name].threshold)
    return replace(own[name], note=own[name].note and f"group {name} {own[name].note}")


def calibrate_metrics(
    pairs: Sequence[Pair],
    embeddings: Mapping[str, FloatArray],
    target: float,
    by: Sequence[str] = (),
    *,
    worst: bool = False,
    cohort: Cohort | None = None,
) -> dict[PointMetric, Calibration]:
    """Return the calibration in each metric, and beside a cohort if one is given.

    embeddings: picture's name -> (N, dim). by: the columns that made the pairs' groups, if any. worst: keep the rate
    within every group, not over all. Raises UsageError as `calibrate` does, and ModelError for a damaged cohort.
    """
    calibrations: dict[PointMetric, Calibration] = {}
    names = [pair.group for pair in pairs]
    for metric in METRICS if cohort is None else (*METRICS, COHORT):
        faces = all_templates(cohort, embeddings) if metric == COHORT else embeddings
        distances, same = compare(pairs, faces, metric)
        compared = ~np.isnan(distances)
        mated, non_mated = distances[compared & same], distances[compared & ~same]
        if worst:
            of = np.array([name or "" for name in names])
            by_group = {name: distances[compared & ~same & (of == name)] for name in sorted({*filter(None, names)})}
            strict = calibrate_worst(mated, by_group, target)
            false = Rate(int((non_mated <= strict.threshold).sum()), len(non_mated))
            own = replace(strict, fmr=false)
        else:
            own = calibrate(mated, non_mated, target)
        groups = group_rates(by, names, distances, same, own.threshold) if by else None
        calibrations[metric] = replace(own, groups=groups)
    return calibrations


def operating_point(
    name: str,
    identity: Mapping[str, Any],
    metric: PointMetric,
    calibrations: Mapping[PointMetric, Calibration],
    evidence: Evidence,
    cohort: Cohort | None = None,
) -> UserOperatingPoint:
    """Return an operating point to keep, created now.

    name: the name to keep it under. identity: the plugins that it holds for, as `Toolbox.identity` returns them.
    metric: the one that decides; the other calibrations become its equivalents. cohort: of the metric "cohort".
    """
    best, now = calibrations[metric], datetime.now(UTC)
    file = evidence.pairs.replace("\\", "/").rpartition("/")[2]
    mated = best.fnmr.total if best.fnmr else 0
    low, high = best.fmr.interval
    source = (
        f"your operating point {name} of {now:%Y-%m-%d}, FMR {best.fmr.value:.3g} ({low:.2g} to {high:.2g} at 95 %)"
    )
    worst = best.groups.fmr if best.groups else None
    point = OperatingPoint(
        metric,
        best.threshold,
        source,
        protocol=f"{file}: {best.fmr.total} non-mated and {mated} mated comparisons, {evidence.conditions}",
        fmr=best.fmr.value,
        fnmr=best.fnmr.value if best.fnmr else None,
        equivalents={other: calibration.threshold for other, calibration in calibrations.items() if other != metric},
        by_fmr=((best.target, best.threshold),),
        worst_group=None if worst is None else worst.worst,
        fmr_worst_group=None if worst is None else worst.highest,
        cohort=cohort,
    )
    record = {"pairs": file, "failed_pictures": evidence.failed_pictures, "note": best.note}
    return UserOperatingPoint(name, identity, point, now.isoformat(), record)
