"""The rule by which a gallery names somebody: where its threshold comes from, and how far the second must be away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facecli.contract import OperatingPoint, RecognizerPlugin
from facecli.errors import UsageError
from facecli.gallery import calibration
from facecli.gallery.index import Index
from facecli.gallery.store.records import Point
from facecli.matching.thresholds import decision_rule

FPIR = 0.01  # where nobody names another: of a hundred strangers one is named
NEAR = 10.0  # times as many strangers reach the band of suggestions
# Part of the threshold. Two people who are both within it, and the second no further away than this, can not be told
# apart; no right answer of benchmarks/open_set.py is that close.
MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Rule:
    """A face is the nearest person's if that distance is at most `threshold` and `margin` less than the second's.

    source: who or what states the threshold. fpir: the rate of strangers that are named, 0 to 1; None if the user gave
    a threshold. near: distance up to which a person is suggested; None where no rate tells one.
    """

    threshold: float
    source: str
    fpir: float | None
    margin: float
    near: float | None


@dataclass(frozen=True, slots=True)
class Wish:
    """A user's wish of how to decide; None leaves it to the gallery.

    threshold: largest distance. fpir: rate of strangers that may be named. margin: distance between first and second.
    """

    threshold: float | None = None
    fpir: float | None = None
    margin: float | None = None


def rule_for(
    wish: Wish, index: Index, plugin: RecognizerPlugin, own: Sequence[OperatingPoint], kept: Sequence[Point] = ()
) -> Rule:
    """Return the rule of a gallery.

    The first that there is: the wish's threshold; the point that `gallery calibrate` kept for the rate; leaving one
    person out, if the gallery is large enough; the threshold at an FMR of FPIR / people, from the user's operating
    points and then the catalogue. own: points that the user calibrated with exactly this recognizer and detector. kept:
    points of this gallery. Raises UsageError where there is none.
    """
    if wish.threshold is not None:
        if wish.fpir is not None:
            message = "{threshold} and {fpir} exclude each other"
            raise UsageError(message, hint="give one of them", about=("threshold", "fpir"))
        return _rule(wish, wish.threshold, "given by the user", None, None)
    rate = FPIR if wish.fpir is None else wish.fpir
    by_rate = {point.rate: point for point in kept}
    people, searches = len(index.people), calibration.searches_for(rate, len(index.rows))
    reason = calibration.too_small(people, searches, rate)
    if rate in by_rate or reason is None:
        return _calibrated(wish, index, rate, by_rate)
    fmr = rate / max(people, 1)
    threshold, source = _at_fmr(plugin, own, fmr)
    if threshold is None:
        hint = "enroll more, give {threshold} or a higher {fpir}, or measure your own with `facecli calibrate`"
        message = f"{reason}, and {plugin.name} was not measured at an FMR of {fmr:.1g} or less"
        raise UsageError(message, hint=hint, about=("threshold", "fpir"))
    near, _ = _at_fmr(plugin, own, NEAR * fmr)
    return _rule(wish, threshold, source, rate, near if near is not None and near > threshold else None)


def near_rate(rate: float) -> float:
    """Return the FPIR at which the band of suggestions ends, for the one at which somebody is named."""
    return min(NEAR * rate, 0.5)


def _calibrated(wish: Wish, index: Index, rate: float, kept: Mapping[float, Point]) -> Rule:
    rates = (rate, near_rate(rate))
    first, second = (kept[rate], kept.get(rates[1])) if rate in kept else calibration.leave_one_out(index, rates)
    source = f"leaving one person out: {first.searches} searches among {first.people} people"
    near = None if second is None or second.threshold <= first.threshold else second.threshold
    return _rule(wish, first.threshold, source, rate, near)


def _at_fmr(plugin: RecognizerPlugin, own: Sequence[OperatingPoint], most: float) -> tuple[float | None, str]:
    """Return the cosine threshold at the highest FMR measured that is at most `most`, and who states it."""
    for points in (own, ()):
        stated = points or (plugin.operating_point,)
        rates = {rate for point in stated for rate, _ in point.by_fmr if rate <= most}
        for rate in sorted(rates, reverse=True):
            try:
                rule = decision_rule(plugin, "cosine", fmr=rate, user_points=points)
            except UsageError:  # it can not be stated as a cosine distance
                continue
            return rule.threshold, f"FMR {rate:g} for an FPIR of {most:.1g} a person: {rule.source}"
    return None, ""


def _rule(wish: Wish, threshold: float, source: str, fpir: float | None, near: float | None) -> Rule:
    margin = MARGIN * max(threshold, 0.0) if wish.margin is None else wish.margin
    return Rule(threshold, source, fpir, margin, near)
