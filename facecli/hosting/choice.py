"""TODO: facecli.hosting.choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from facecli.contract import RecognizerPlugin
from facecli.hosting.registry import Registry


@dataclass(frozen=True, slots=True)
class Choice:
    """Which plugins to use, by name, and parameters that differ from a plugin's defaults; None leaves a stage out.

    ensemble: recognizers beside `recognizer`, which work on the same faces. crops: recognizer -> fields of its CropSpec
    that are to be otherwise.
    """

    detector: str | None = None
    recognizer: str | None = None
    attributes: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ensemble: tuple[str, ...] = ()
    crops: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def load_recognizer(registry: Registry, name: str, crops: Mapping[str, Mapping[str, Any]]) -> RecognizerPlugin:
    """A recognizer's descriptor, its crop changed as `Choice.crops` says."""
    plugin: RecognizerPlugin = registry.load("recognizers", name, RecognizerPlugin)
    fields = crops.get(name)
    return replace(plugin, crop=replace(plugin.crop, **fields)) if fields else plugin
