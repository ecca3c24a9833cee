"""The descriptors of all kinds of plugins, for code that takes any of them."""

from __future__ import annotations

from collections.abc import Mapping

from facecli.contract.attribute import AttributePlugin
from facecli.contract.detector import DetectorPlugin
from facecli.contract.engine import EnginePlugin
from facecli.contract.recipe import ExportRecipe
from facecli.contract.recognizer import RecognizerPlugin
from facecli.contract.tracker import TrackerPlugin
from facecli.kinds import Kind

Plugin = DetectorPlugin | RecognizerPlugin | AttributePlugin | TrackerPlugin  # a plugin that runs on faces

PLUGINS: Mapping[Kind, type[Plugin]] = {
    "detectors": DetectorPlugin,
    "recognizers": RecognizerPlugin,
    "attributes": AttributePlugin,
    "trackers": TrackerPlugin,
}
# The class that the hook of each kind yields. The hook of commands yields nothing.
Descriptor = Plugin | ExportRecipe | EnginePlugin
DESCRIPTORS: Mapping[Kind, type[Descriptor]] = {**PLUGINS, "recipes": ExportRecipe, "engines": EnginePlugin}


def kind_of(plugin: Plugin) -> Kind:
    """Return the kind of a plugin from its descriptor's class."""
    return next(kind for kind, descriptor in PLUGINS.items() if isinstance(plugin, descriptor))
