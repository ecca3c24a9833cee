"""Loading an engine by name, with the user's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facecli.contract import Engine, EnginePlugin, Resources
from facecli.errors import FacecliError, PluginError, class_and_first_line
from facecli.hosting import parameters
from facecli.hosting.registry import Registry


def load_engine(
    registry: Registry, name: str, resources: Resources, changes: Mapping[str, Mapping[str, Any]]
) -> Engine:
    """Return an engine that is ready to run. changes: engine's name -> parameters that differ from its defaults.

    Raises PluginError for a name that no engine has or an engine that fails, UsageError for a parameter that is not the
    engine's, and what the engine raises on purpose, such as DeviceError.
    """
    entry = registry.entry("engines", name)
    plugin = registry.load("engines", name, EnginePlugin)
    effective = parameters.effective((plugin,), changes)[id(plugin)]
    try:
        return plugin.load(resources, effective)
    except (FacecliError, KeyboardInterrupt):
        raise
    except BaseException as error:
        hint = f"report it to the authors of {entry.distribution}"
        message = f"{entry.title} can not be loaded: {class_and_first_line(error)}"
        raise PluginError(message, hint=hint) from error
