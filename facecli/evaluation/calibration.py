"""A user's own operating point: the threshold that keeps a false match rate on the user's own comparisons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from facecli.cli.settings import Settings
from facecli.errors import UsageError
from facecli.evaluation.recognition import ENOUGH, Distances, Rate, at_fmr, without_distance

if TYPE_CHECKING:
    from facecli.hosting.toolbox import Toolbox
    from facecli.matching.operating_points import Calibrated


FEWEST = 3  # false matches that a rate must rest on: with none among 3 / FMR comparisons, it is below FMR at 95 %


@dataclass(frozen=True, slots=True)
class Calibration:
    """The threshold that keeps a measured FMR of at most `target`: the largest distance found that still does.

    interval: the thresholds at which the true FMR may be `target`, at 95 %; the threshold is one of them. fmr, fnmr: as
    measured at the threshold; fnmr is None without mated comparisons. note: how far the rate can be trusted, None where
    it rests on enough.
    """

    target: float
    threshold: float
    interval: tuple[float, float]
    fmr: Rate
    fnmr: Rate | None
    note: str | None


def check_enough(non_mated: int, target: float) -> None:
    """Raise UsageError where so few non-mated comparisons say nothing about the rate (rule of three)."""
    if target * non_mated < FEWEST - 1e-9:
        least = math.ceil(FEWEST / target)
        reachable = f", or ask for --fmr {FEWEST / non_mated:.2g} or more" if non_mated > FEWEST else ""
        raise UsageError(
            f"{non_mated} non-mated comparisons can not show an FMR of {target:g}: that takes {least} at least",
            hint=f"give more pairs of different people{reachable}",
        )


def calibrate(mated: Distances, non_mated: Distances, target: float) -> Calibration:
    """Find the threshold in (N,) mated and (M,) non-mated distances, in any order.

    Raises UsageError where `check_enough` does, and where only a threshold of 0 would keep the rate.
    """
    total, mated, non_mated = len(non_mated), np.sort(mated), np.sort(non_mated)
    check_enough(total, target)
    found = at_fmr(mated if len(mated) else non_mated[:1], non_mated, target)
    if found.threshold is None:
        raise UsageError(
            f"no threshold keeps an FMR of {target:g}: {without_distance(non_mated)}",
            hint="give more and different pairs of different people; are some pictures copies?",
        )
    low, high = Rate(math.floor(target * total + 1e-9), total).interval
    ranks = max(math.floor(low * total), 1), min(math.ceil(high * total), total)
    # The threshold lies below all of many equal distances, and so below that of the lower rank where it is one of them.
    interval = min(float(non_mated[ranks[0] - 1]), found.threshold), float(non_mated[ranks[1] - 1])
    missed = int((mated > found.threshold).sum())
    note = f"rests on {found.false_matches} false matches; {ENOUGH} make it good to 30 %"
    return Calibration(
        target,
        found.threshold,
        interval,
        Rate(found.false_matches, total),
        Rate(missed, len(mated)) if len(mated) else None,
        note if found.false_matches < ENOUGH else None,
    )


def _calibrated(
    tools: Toolbox,
    settings: Settings,
    name: str,
    metric: Any,
    found: dict[str, Calibration],
    pairs: str,
    failed: int,
) -> Calibrated:
    from datetime import UTC, datetime

    from facecli.contract import OperatingPoint
    from facecli.matching.operating_points import Calibrated

    assert tools.recognizer_plugin is not None
    best, today = found[metric], datetime.now(UTC)
    mated = best.fnmr.total if best.fnmr else 0
    file = pairs.replace("\\", "/").rpartition("/")[2]
    protocol = f"{file}: {best.fmr.total} non-mated and {mated} mated comparisons, --face {settings.face}"
    low, high = best.fmr.interval
    source = (
        f"your operating point {name} of {today:%Y-%m-%d}, FMR {best.fmr.value:.3g} ({low:.2g} to {high:.2g} at 95 %)"
    )
    point = OperatingPoint(
        metric,
        best.threshold,
        source,
        protocol,
        best.fmr.value,
        best.fnmr.value if best.fnmr else None,
        {own: other.threshold for own, other in found.items() if own != metric},
        ((best.target, best.threshold),),
    )
    evidence = {"pairs": file, "failed_pictures": failed, "note": best.note}
    return Calibrated(name, tools.identity(tools.recognizer_plugin), point, today.isoformat(), evidence)
