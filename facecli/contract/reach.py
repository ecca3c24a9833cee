"""The distances that two embeddings can have, in each metric, so that a threshold beyond them is found to be a slip."""

from __future__ import annotations

from collections.abc import Mapping

from facecli.contract.operating_point import OperatingPoint
from facecli.kinds import PointMetric

# The largest distance in each metric. The length of a difference has no limit, but for embeddings of length 1.
LARGEST: Mapping[PointMetric, float] = {"cosine": 2.0, "euclidean_l2": 2.0, "angular": 1.0, "cohort": 3.0}
OF_UNIT_LENGTH = 2.0
_SLIPS: Mapping[PointMetric, str] = {
    "cosine": "is it a similarity in percent, or of another metric?",
    "euclidean_l2": "is it of the metric euclidean?",
    "angular": "is it in degrees? the metric is the angle divided by 180 degrees",
    "euclidean": "the embeddings have length 1",
    "cohort": "is it a similarity in percent, or of another metric?",
}


def threshold_fault(metric: PointMetric, threshold: float, *, normalized: bool) -> str | None:
    """Return why no distance reaches a threshold, with the likely slip, in one clause; None if one does.

    normalized: whether the embeddings have length 1.
    """
    largest = LARGEST.get(metric, OF_UNIT_LENGTH if normalized else float("inf"))
    if not threshold > largest:
        return None
    return f"no {metric} distance is more than {largest:g}, {threshold:g} is: {_SLIPS[metric]}"


def point_fault(point: OperatingPoint, *, normalized: bool) -> str | None:
    """Return what can not be in the thresholds of an operating point, in one clause; None if all can.

    Its metrics are known ones. A threshold must grow with the rate of false matches that it lets through.
    """
    stated = [(point.metric, threshold) for threshold in (point.threshold, *(each for _, each in point.by_fmr))]
    for metric, threshold in (*stated, *point.equivalents.items()):
        if fault := threshold_fault(metric, threshold, normalized=normalized):  # type: ignore[arg-type]
            return fault
    by_rate = [threshold for _, threshold in sorted(point.by_fmr)]
    if by_rate != sorted(by_rate):
        return "by_fmr: a larger rate has a smaller threshold: are these pairs of a rate and a threshold?"
    return None
