"""TODO: facecli.matching.thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from facecli.contract import Metric, OperatingPoint, RecognizerPlugin
from facecli.errors import UsageError


@dataclass(frozen=True, slots=True)
class Decision:
    """What a comparison rests on: distance <= threshold in `metric` means the same person. source: who says so."""

    metric: Metric
    threshold: float
    source: str
    fmr: float | None = None


def decide(
    plugin: RecognizerPlugin,
    metric: Metric | None = None,
    threshold: float | None = None,
    fmr: float | None = None,
    *,
    altered: bool = False,
    own: Sequence[OperatingPoint] = (),
) -> Decision:
    """The decision rule for a recognizer and what the user asked for. Raises UsageError if none is known.

    What counts, in this order: threshold; fmr, among the user's points and then in the catalogue; the first of the
    user's points; the catalogue. own: the user's operating points for this recognizer, run as it is now. altered: it
    runs with parameters of the user's (such as flip) or another project's crop, for which the catalogue's error rates
    were not measured.
    """
    if threshold is not None and fmr is not None:
        raise UsageError("--threshold and --fmr exclude each other", hint="give one of them")
    if threshold is not None:
        if not math.isfinite(threshold):
            raise UsageError("the threshold must be a finite number")
        return Decision(metric or plugin.operating_point.metric, threshold, "given by the user")
    point = next((point for point in own if fmr is None or fmr in dict(point.by_fmr)), None)
    altered = altered and point is None
    point = point or plugin.operating_point
    if fmr is not None and altered:
        raise UsageError(
            f"the rates of {plugin.name} were measured with its default parameters and crop",
            hint="give --threshold, or measure your own with `facecli calibrate`",
        )
    if fmr is not None:
        known = dict(point.by_fmr)
        if fmr not in known:
            every = sorted({rate for some in (*own, point) for rate, _ in some.by_fmr}, reverse=True)
            rates = ", ".join(f"{rate:g}" for rate in every) or "none"
            hint = f"measured: {rates}; `facecli calibrate` measures your own"
            raise UsageError(f"{plugin.name} has no threshold measured at FMR {fmr:g}", hint=hint)
        if point in own:
            # Few or equal distances keep below the rate that was asked for: what was measured is told, beside the wish.
            source, measured = f"{point.source}; for an FMR of at most {fmr:g}", point.fmr
        else:
            source, measured = f"catalogue: {point.protocol}" if point.protocol else point.source, fmr
        base = Decision(point.metric, known[fmr], source, measured)
    else:
        base = Decision(point.metric, point.threshold, point.source, point.fmr)
    rule = base if metric in (None, base.metric) else _in_metric(plugin, point, base, metric)
    return replace(rule, fmr=None, source=f"{rule.source}; stated for default parameters and crop") if altered else rule


def _in_metric(plugin: RecognizerPlugin, point: OperatingPoint, base: Decision, metric: Metric) -> Decision:
    derivable = {"cosine", "euclidean_l2", "angular"} | ({"euclidean"} if plugin.normalized else set())
    if {metric, base.metric} <= derivable:
        value = _from_cosine(_to_cosine(base.threshold, base.metric), metric)
        return Decision(metric, value, f"derived from {base.metric} {base.threshold:g}: {base.source}", base.fmr)
    if metric in point.equivalents and base.threshold == point.threshold:
        data = f"; measured on {point.protocol}" if point.protocol else ""
        source = f"at the rate of {base.metric} {base.threshold:g}: {base.source}{data}"
        return Decision(metric, point.equivalents[metric], source, base.fmr)
    raise UsageError(f"{plugin.name} has no {metric} threshold for this", hint="give one with --threshold")


def _to_cosine(value: float, metric: Metric) -> float:
    """For vectors of length 1: l2 = sqrt(2 d) and angle = arccos(1 - d) / pi, with d the cosine distance."""
    if metric in ("euclidean", "euclidean_l2"):
        return value**2 / 2
    return 1 - math.cos(value * math.pi) if metric == "angular" else value


def _from_cosine(value: float, metric: Metric) -> float:
    if metric in ("euclidean", "euclidean_l2"):
        return math.sqrt(2 * value)
    return math.acos(max(-1.0, 1 - value)) / math.pi if metric == "angular" else value
