"""The threshold of one recognizer: which of its operating points decides, and in which metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from facecli.contract import Cohort, Metric, OperatingPoint, RecognizerPlugin
from facecli.contract.reach import threshold_fault
from facecli.errors import UsageError
from facecli.kinds import PointMetric

NO_GROUPS = "nothing was measured for groups of people"  # what a point of the catalogue without a worst group says


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """The rule that two faces are of one person if their distance in `metric` is at most `threshold`.

    source: a text for people, who or what states the threshold. fmr: the false match rate, 0 to 1, that was measured at
    this threshold; None if none was. fmr_worst_group: the same between people of the group in which it is highest.
    cohort: the strangers beside whom faces are compared, if the metric is "cohort".
    """

    metric: PointMetric
    threshold: float
    source: str
    fmr: float | None = None
    fmr_worst_group: float | None = None
    cohort: Cohort | None = None


def decision_rule(
    plugin: RecognizerPlugin,
    metric: Metric | None = None,
    threshold: float | None = None,
    fmr: float | None = None,
    *,
    altered: bool = False,
    user_points: Sequence[OperatingPoint] = (),
) -> DecisionRule:
    """Return the rule by which a recognizer decides.

    The first of these that applies gives the threshold: `threshold` itself; the threshold measured at `fmr`, among the
    user's operating points and then in the catalogue; the first of the user's operating points; the catalogue's.

    metric: the metric of the rule; None leaves the one that the threshold is stated in. altered: the recognizer runs
    with other parameters (such as flip) or another crop than its error rates in the catalogue were measured with.
    user_points: operating points that the user calibrated with this recognizer and exactly these parameters, the
    preferred first.

    Raises UsageError if threshold and fmr are both given, if nothing was measured at fmr, or if the threshold can not
    be stated in metric.
    """
    if threshold is not None:
        return _rule_of_user(plugin, metric, threshold, fmr)
    point = next((point for point in user_points if fmr is None or fmr in dict(point.by_fmr)), None)
    if point is None:
        point, base = plugin.operating_point, _rule_of_catalogue(plugin, fmr, altered=altered, user_points=user_points)
    else:
        base, altered = _rule_of_point(point, fmr), False
    rule = base if metric in (None, base.metric) else _in_metric(plugin, point, base, metric)
    if not altered:
        return rule
    source = f"{rule.source}; stated for default parameters and crop"
    return replace(rule, fmr=None, fmr_worst_group=None, source=source)


def _rule_of_user(plugin: RecognizerPlugin, metric: Metric | None, threshold: float, fmr: float | None) -> DecisionRule:
    if fmr is not None:
        message = "{threshold} and {fmr} exclude each other"
        raise UsageError(message, hint="give one of them", about=("threshold", "fmr"))
    if not math.isfinite(threshold):
        raise UsageError("the threshold must be a finite number")
    stated: PointMetric = metric or plugin.operating_point.metric
    if fault := threshold_fault(stated, threshold, normalized=plugin.normalized):
        hint = "lower it, or name its {metric}"
        raise UsageError(f"{{threshold}}: {fault}", hint=hint, about=("threshold", "metric"))
    return DecisionRule(stated, threshold, "given by the user")


def _rule_of_point(point: OperatingPoint, fmr: float | None) -> DecisionRule:
    """Return the rule of a user's operating point, which has a threshold for `fmr` if that is not None."""
    rule = DecisionRule(point.metric, point.threshold, point.source, point.fmr, point.fmr_worst_group, point.cohort)
    if fmr is None:
        return rule
    # With few or equal distances the measured rate lies below the one asked for: the rule has the first, its source
    # names the second.
    return replace(rule, threshold=dict(point.by_fmr)[fmr], source=f"{point.source}; for an FMR of at most {fmr:g}")


def _rule_of_catalogue(
    plugin: RecognizerPlugin, fmr: float | None, *, altered: bool, user_points: Sequence[OperatingPoint]
) -> DecisionRule:
    point = plugin.operating_point
    if fmr is None:
        source = point.source if point.worst_group else f"{point.source}; {NO_GROUPS}"
        return DecisionRule(point.metric, point.threshold, source, point.fmr, point.fmr_worst_group, point.cohort)
    if altered:
        raise UsageError(
            f"the rates of {plugin.name} were measured with its default parameters and crop",
            hint="give {threshold}, or measure your own with `facecli calibrate`",
            about="threshold",
        )
    thresholds = dict(point.by_fmr)
    if fmr not in thresholds:
        measured = sorted({rate for some in (*user_points, point) for rate, _ in some.by_fmr}, reverse=True)
        rates = ", ".join(f"{rate:g}" for rate in measured) or "none"
        hint = f"measured: {rates}; `facecli calibrate` measures your own"
        raise UsageError(f"{plugin.name} has no threshold measured at FMR {fmr:g}", hint=hint)
    source = f"catalogue: {point.protocol}" if point.protocol else point.source
    worst = dict(point.worst_by_fmr).get(fmr)
    return DecisionRule(point.metric, thresholds[fmr], source, fmr, worst, point.cohort)


def _in_metric(plugin: RecognizerPlugin, point: OperatingPoint, base: DecisionRule, metric: Metric) -> DecisionRule:
    """Return a rule of `point` stated in another metric: derived by a formula where there is one, else as measured."""
    derivable = {"cosine", "euclidean_l2", "angular"} | ({"euclidean"} if plugin.normalized else set())
    if {metric, base.metric} <= derivable:
        threshold = _from_cosine(_to_cosine(base.threshold, base.metric), metric)
        source = f"derived from {base.metric} {base.threshold:g}: {base.source}"
        return replace(base, metric=metric, threshold=threshold, source=source)
    if metric in point.equivalents and base.threshold == point.threshold:
        data = f"; measured on {point.protocol}" if point.protocol else ""
        source = f"at the rate of {base.metric} {base.threshold:g}: {base.source}{data}"
        rule = replace(base, metric=metric, threshold=point.equivalents[metric], source=source)
        # Without the strangers the rate is the same over all people, and not within each group of them.
        return rule if base.cohort is None else replace(rule, cohort=None, fmr_worst_group=None)
    raise UsageError(
        f"{plugin.name} has no {metric} threshold for this", hint="give one with {threshold}", about="threshold"
    )


def _to_cosine(threshold: float, metric: PointMetric) -> float:
    """Return a threshold as cosine distance d: of vectors of length 1, l2 = sqrt(2 d), angular = arccos(1 - d) / pi."""
    if metric in ("euclidean", "euclidean_l2"):
        return threshold**2 / 2
    return 1 - math.cos(threshold * math.pi) if metric == "angular" else threshold


def _from_cosine(threshold: float, metric: Metric) -> float:
    """Return a threshold of the cosine distance in another metric; the inverse of `_to_cosine`."""
    if metric in ("euclidean", "euclidean_l2"):
        return math.sqrt(2 * threshold)
    return math.acos(max(-1.0, 1 - threshold)) / math.pi if metric == "angular" else threshold
