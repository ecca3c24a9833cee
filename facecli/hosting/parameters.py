"""The parameters of plugins: a user's values beside the defaults, checked by type, and in a form that JSON can hold."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from facecli.contract import EnginePlugin
from facecli.contract.plugin import Plugin
from facecli.errors import UsageError


def effective(
    plugins: Sequence[Plugin | EnginePlugin], changes: Mapping[str, Mapping[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Return the parameters that each plugin runs with, by the id() of its descriptor.

    changes: plugin's name -> parameter -> value. Plugins of two kinds may have one name: a parameter goes to each of
    them that has it. Raises UsageError for a name or parameter that is not in use, or a value of another type than the
    default's. The plugin itself checks what a value means.
    """
    for name, values in changes.items():
        namesakes = [plugin for plugin in plugins if plugin.name == name]
        if not namesakes:
            in_use = ", ".join(plugin.name for plugin in plugins) or "nothing"
            raise UsageError(f"{name} is given a parameter and is not in use", hint=f"in use: {in_use}")
        parameters = {key: None for plugin in namesakes for key in plugin.parameters}
        unknown = sorted(set(values) - set(parameters))
        if unknown:
            hint = f"it has {', '.join(parameters) or 'none'}"
            raise UsageError(f"{name} has no parameter {', '.join(unknown)}", hint=hint)
    return {id(plugin): {**plugin.parameters, **_checked(plugin, changes.get(plugin.name, {}))} for plugin in plugins}


def _checked(plugin: Plugin | EnginePlugin, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the parameters that a plugin has. Raises UsageError for one of another type."""
    values = {name: value for name, value in values.items() if name in plugin.parameters}
    for name, value in values.items():
        default = plugin.parameters[name]
        if not _fits(value, default):
            message = f"{plugin.name}.{name} must be {_type_name(default)}, got {reprlib.repr(value)}"
            raise UsageError(message, hint=f"the default is {default!r}")
    return values


def _fits(value: Any, default: Any) -> bool:
    """Return whether a value has the type of a default. Any number fits a number, any value fits None."""
    if default is None:
        return True
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, (int, float)):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and abs(value) <= sys.float_info.max  # NaN is not
    if isinstance(default, (list, tuple)):
        as_long = isinstance(value, (list, tuple)) and len(value) == len(default)
        return as_long and all(map(_fits, value, default))
    return isinstance(value, type(default))


def _type_name(default: Any) -> str:
    if isinstance(default, (list, tuple)):
        return f"a list of {len(default)}"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text"}
    return names.get(type(default), f"a {type(default).__name__}")


def json_safe(value: Any) -> Any:
    """Return a parameter's value, any object, as JSON can hold it; what JSON has no form for (NaN) becomes its text."""
    if isinstance(value, Mapping):
        return {str(key): json_safe(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_safe(inner) for inner in value]
    if isinstance(value, float) and not abs(value) <= sys.float_info.max:
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
