"""Which rule decides: what the user asked for, his own operating points, or the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facecli.errors import UsageError
from facecli.hosting.presets import PRESETS
from facecli.matching.operating_points import CATALOGUE, Shelf

if TYPE_CHECKING:
    from facecli.contract import Metric, OperatingPoint, RecognizerPlugin
    from facecli.hosting.toolbox import Toolbox
    from facecli.matching.thresholds import Decision


@dataclass(frozen=True, slots=True)
class Wish:
    """What --metric, --threshold, --fmr, --operating-point and --preset said."""

    metric: Metric | None = None
    threshold: float | None = None
    fmr: float | None = None
    operating_point: str | None = None
    preset: str | None = None

    @property
    def plain(self) -> bool:
        """Whether the threshold was left to the preset."""
        return self.threshold is None and self.fmr is None and self.operating_point is None


def rules(tools: Toolbox, wish: Wish) -> list[Decision]:
    """The rule for each recognizer of the toolbox. Raises UsageError for what can only be said of one of them."""
    if len(tools.recognizer_plugins) > 1:
        if wish.threshold is not None:
            raise UsageError("--threshold is for one recognizer", hint="give one --recognizer, or --fmr")
        if wish.operating_point not in (None, CATALOGUE):
            raise UsageError("--operating-point is for one recognizer", hint="your newest are used by themselves")
    return [rule(tools, plugin, wish) for plugin in tools.recognizer_plugins]


def rule(tools: Toolbox, plugin: RecognizerPlugin, wish: Wish) -> Decision:
    """The rule for a recognizer of the toolbox. Raises UsageError where there is none."""
    from facecli.matching.thresholds import Decision, decide

    altered = tools.parameters(plugin) != dict(plugin.parameters)
    if wish.preset is not None and wish.plain:
        preset = PRESETS[wish.preset]
        stated = preset.thresholds.get(plugin.name, {})
        metric = wish.metric or (preset.metric if plugin.name in (preset.recognizer, *preset.thresholds) else None)
        if metric is not None and metric in stated:
            note = "; stated for default parameters" if altered else ""
            return Decision(metric, stated[metric], f"preset {wish.preset}: {preset.source}{note}")
        wish = replace(wish, metric=metric, operating_point=CATALOGUE)
    own, altered = _own(tools, plugin, wish), altered or bool(tools.changed_crop(plugin))
    return decide(plugin, wish.metric, wish.threshold, wish.fmr, altered=altered, own=own)


def _own(tools: Toolbox, plugin: RecognizerPlugin, wish: Wish) -> list[OperatingPoint]:
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
