"""A user's choice of plugins, by name, before anything of them is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # every start of the command line imports this module for its defaults
    from facecli.contract import RecognizerPlugin
    from facecli.hosting.registry import Registry

# Used where nobody names another.
DETECTOR, RECOGNIZER, ATTRIBUTES = "yunet", "sface", ("age", "gender", "emotion")
TRACKER = "sort"


@dataclass(frozen=True, slots=True)
class Choice:
    """The plugins to use, by name; None leaves a stage out.

    attributes: names of attribute models, such as "emotion/facecli-resnet". parameters: plugin's name -> parameters
    that differ from its defaults. further_recognizers: recognizers that embed the same faces after `recognizer`. crops:
    recognizer's name -> fields of its CropSpec that are replaced. tracker:
    follows faces through a film.
    """

    detector: str | None = None
    recognizer: str | None = None
    attributes: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    further_recognizers: tuple[str, ...] = ()
    crops: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tracker: str | None = None


def load_recognizer(registry: Registry, name: str, crops: Mapping[str, Mapping[str, Any]]) -> RecognizerPlugin:
    """Return a recognizer's descriptor, with the fields of its crop that `crops` replaces. Raises PluginError."""
    from facecli.contract import RecognizerPlugin

    plugin: RecognizerPlugin = registry.load("recognizers", name, RecognizerPlugin)
    fields = crops.get(name)
    return replace(plugin, crop=replace(plugin.crop, **fields)) if fields else plugin
