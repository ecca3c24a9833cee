"""Which rule decides: what the user asked for, his own operating points, or the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facecli.errors import UsageError

if TYPE_CHECKING:
    from facecli.compare import Decision
    from facecli.contract import Metric, OperatingPoint, RecognizerPlugin
    from facecli.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Wish:
    """What --metric, --threshold, --fmr and --operating-point said."""

    metric: Metric | None = None
    threshold: float | None = None
    fmr: float | None = None
    operating_point: str | None = None


def rule(tools: Toolbox, plugin: RecognizerPlugin, wish: Wish) -> Decision:
    """The rule for a recognizer of the toolbox. Raises UsageError where there is none."""
    from facecli.compare import decide

    altered = tools.parameters(plugin) != dict(plugin.parameters)
    own = _own(tools, plugin, wish)
    return decide(plugin, wish.metric, wish.threshold, wish.fmr, altered=altered, own=own)


def _own(tools: Toolbox, plugin: RecognizerPlugin, wish: Wish) -> list[OperatingPoint]:
    from facecli.operating_points import CATALOGUE, Shelf

    name = wish.operating_point
    if name is None:
        return [] if wish.threshold is not None else Shelf(tools.store.root).matching(tools.identity(plugin))
    if wish.threshold is not None:
        raise UsageError("--threshold and --operating-point exclude each other", hint="give one of them")
    if name == CATALOGUE:
        return []
    found = Shelf(tools.store.root).load(name)
    now = tools.identity(plugin)
    if different := [key for key, value in now.items() if found.identity.get(key) != value]:
        was = {key: found.identity.get(key) for key in ("recognizer", "detector")}
        message = f"the operating point {name!r} does not hold here: {', '.join(different)} differ"
        raise UsageError(message, hint=f"it is for --recognizer {was['recognizer']} --detector {was['detector']}")
    return [found.point]
