"""The rule by which each recognizer decides: the user's wish first, then a preset, calibrated points, the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from facecli.contract import Metric, OperatingPoint, RecognizerPlugin
from facecli.contract.plugin import Plugin
from facecli.errors import UsageError
from facecli.hosting.presets import PRESETS
from facecli.hosting.toolbox import Toolbox
from facecli.kinds import COHORT
from facecli.matching.operating_points import CATALOGUE, PUBLISHER, RESERVED, OperatingPointStore
from facecli.matching.thresholds import DecisionRule, decision_rule
from facecli.models.store import ModelStore


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """A user's wish of how to decide; None leaves a part of it to the program.

    metric: the metric to decide in. threshold: the largest distance that is still one person. fmr: a false match rate,
    0 to 1, at which a threshold was measured. operating_point: the name of a point that the user calibrated,
    "catalogue" for the catalogue's, "publisher" for that of the weights' publisher, "cohort" for the one that compares
    beside strangers. preset: a key of PRESETS, the project whose metric and thresholds to take.
    """

    metric: Metric | None = None
    threshold: float | None = None
    fmr: float | None = None
    operating_point: str | None = None
    preset: str | None = None

    @property
    def names_threshold(self) -> bool:
        """True if the user asks for a threshold, a rate or a point, so that a preset's threshold does not apply."""
        return not (self.threshold is None and self.fmr is None and self.operating_point is None)


class Circumstances(Protocol):
    """The facts on which a threshold depends; hosting.toolbox.Toolbox has them, and so have stored embeddings."""

    @property
    def store(self) -> ModelStore:
        """The store beside which a user's operating points lie."""

    def parameters(self, plugin: Plugin) -> dict[str, Any]:
        """Return the parameters that a plugin ran with."""

    def changed_crop(self, plugin: Plugin) -> Mapping[str, Any]:
        """Return {"crop": fields} if a recognizer got another crop than its own, else nothing."""

    def identity(self, recognizer: RecognizerPlugin) -> dict[str, Any]:
        """Return all that must be equal for a threshold to hold."""


def rules_for(tools: Toolbox, request: DecisionRequest) -> list[DecisionRule]:
    """Return the rule of each recognizer of the toolbox, in their order.

    Raises UsageError if several recognizers are given a threshold or a point, which can hold for one of them only.
    """
    if len(tools.recognizer_plugins) > 1:
        if request.threshold is not None:
            message, hint = "{threshold} is for one recognizer", "give one {recognizer}, or {fmr}"
            raise UsageError(message, hint=hint, about=("threshold", "recognizer", "fmr"))
        if request.operating_point not in (None, *RESERVED):
            message, hint = "{operating_point} is for one recognizer", "your newest are used by themselves"
            raise UsageError(message, hint=hint, about="operating_point")
    return [rule_for(tools, plugin, request) for plugin in tools.recognizer_plugins]


def rule_for(tools: Circumstances, plugin: RecognizerPlugin, request: DecisionRequest) -> DecisionRule:
    """Return the rule for one recognizer. tools: the circumstances in which it runs, or has run.

    A preset's threshold comes before the user's calibrated points, and these before the catalogue; whatever the request
    names comes before all of them. A preset without a threshold for the recognizer leaves it to the publisher of the
    weights. Raises UsageError if the request contradicts itself or no threshold meets it.
    """
    altered = tools.parameters(plugin) != dict(plugin.parameters)
    if request.preset is not None and not request.names_threshold:
        preset = PRESETS[request.preset]
        thresholds = preset.thresholds.get(plugin.name, {})
        familiar = plugin.name in (preset.recognizer, *preset.thresholds)
        metric = request.metric or (preset.metric if familiar else None)
        if metric is not None and metric in thresholds:
            note = "; stated for default parameters" if altered else ""
            rule = DecisionRule(metric, thresholds[metric], f"preset {request.preset}: {preset.source}{note}")
            return rule if altered or tools.changed_crop(plugin) else _with_rates(plugin, rule)
        point = CATALOGUE if publishers_point(plugin) is None else PUBLISHER
        request = replace(request, metric=metric, operating_point=point)
    points, altered = _user_points(tools, plugin, request), altered or bool(tools.changed_crop(plugin))
    if request.operating_point == PUBLISHER:
        plugin = _as_published(plugin)
    elif request.operating_point == COHORT:
        plugin = replace(plugin, operating_point=cohort_point(tools, plugin))
    return decision_rule(plugin, request.metric, request.threshold, request.fmr, altered=altered, user_points=points)


def cohort_point(tools: Circumstances, plugin: RecognizerPlugin) -> OperatingPoint:
    """Return the point of a recognizer that has a cohort.

    Raises UsageError if there is none, or if the recognizer runs with other parameters or another crop than those that
    the strangers were embedded with.
    """
    if plugin.cohort_point is None:
        message, hint = f"{plugin.name} has no cohort", f"leave out {{operating_point}} {COHORT}"
        raise UsageError(message, hint=hint, about="operating_point")
    if tools.changed_crop(plugin) or tools.parameters(plugin) != dict(plugin.parameters):
        message = f"the cohort of {plugin.name} was embedded with its default parameters and crop"
        raise UsageError(message, hint="leave the others out")
    return plugin.cohort_point


def publishers_point(plugin: RecognizerPlugin) -> OperatingPoint | None:
    """Return the point that the publisher of a recognizer's weights states, None if there is none.

    A point of which nothing was measured for groups of people is the publisher's own.
    """
    own = plugin.operating_point
    return plugin.publisher_point or (own if own.worst_group is None else None)


def _with_rates(plugin: RecognizerPlugin, rule: DecisionRule) -> DecisionRule:
    """Return a rule with the rates that the catalogue has at its threshold, if it has any."""
    for point in (plugin.operating_point, plugin.publisher_point):
        if point is not None and (point.metric, point.threshold) == (rule.metric, rule.threshold):
            return replace(rule, fmr=point.fmr, fmr_worst_group=point.fmr_worst_group)
    return rule


def _as_published(plugin: RecognizerPlugin) -> RecognizerPlugin:
    point = publishers_point(plugin)
    if point is None:
        message = f"no publisher of {plugin.name} states a threshold"
        raise UsageError(message, hint=f"leave out {{operating_point}} {PUBLISHER}", about="operating_point")
    return replace(plugin, operating_point=point)


def _user_points(tools: Circumstances, plugin: RecognizerPlugin, request: DecisionRequest) -> list[OperatingPoint]:
    """Return the user's calibrated points that the request allows for this recognizer, the preferred first."""
    name = request.operating_point
    if name is None:
        if request.threshold is not None:
            return []
        points = OperatingPointStore(tools.store.root).matching(tools.identity(plugin))
        return [point for point in map(partial(_beside, plugin), points) if point is not None]
    if request.threshold is not None:
        message = "{threshold} and {operating_point} exclude each other"
        raise UsageError(message, hint="give one of them", about=("threshold", "operating_point"))
    if name in RESERVED:
        return []
    entry, identity = OperatingPointStore(tools.store.root).load(name), tools.identity(plugin)
    if different := [key for key, value in identity.items() if entry.identity.get(key) != value]:
        recognizer, detector = (entry.identity.get(key) for key in ("recognizer", "detector"))
        message = f"the operating point {name!r} does not hold here: {', '.join(different)} differ"
        hint = f"it is for {{recognizer}} {recognizer} {{detector}} {detector}"
        raise UsageError(message, hint=hint, about=("recognizer", "detector"))
    point = _beside(plugin, entry.point)
    if point is None:
        message = f"the operating point {name!r} was measured beside a cohort that {plugin.name} no longer has"
        raise UsageError(message, hint="calibrate again")
    return [point]


def _beside(plugin: RecognizerPlugin, point: OperatingPoint) -> OperatingPoint | None:
    """Return a user's point with the file of its cohort; None if that is not the recognizer's cohort."""
    if point.cohort is None:
        return point
    own = None if plugin.cohort_point is None else plugin.cohort_point.cohort
    same = own is not None and (own.sha256, own.top) == (point.cohort.sha256, point.cohort.top)
    return replace(point, cohort=own) if same else None
