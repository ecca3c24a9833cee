"""The parameters of plugins: what was given beside what there is, of the right type, and as JSON."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from facecli.contract.plugin import Plugin
from facecli.errors import UsageError


def effective(plugins: Sequence[Plugin], given: Mapping[str, Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """What each plugin runs with, by its id(); what is given for a name goes to each plugin of it that takes it."""
    for name, values in given.items():
        takers = [plugin for plugin in plugins if plugin.name == name]
        if not takers:
            used = ", ".join(plugin.name for plugin in plugins) or "nothing"
            raise UsageError(f"{name} is given a parameter and is not in use", hint=f"in use: {used}")
        known = {key: None for plugin in takers for key in plugin.parameters}
        unknown = sorted(set(values) - set(known))
        if unknown:
            hint = f"it has {', '.join(known) or 'none'}"
            raise UsageError(f"{name} has no parameter {', '.join(unknown)}", hint=hint)
    return {id(plugin): {**plugin.parameters, **_checked(plugin, given.get(plugin.name, {}))} for plugin in plugins}


def _checked(plugin: Plugin, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values for the parameters that the plugin has, each of its default's type; what they mean, it checks."""
    own = {name: value for name, value in given.items() if name in plugin.parameters}
    for name, value in own.items():
        default = plugin.parameters[name]
        if not _fits(value, default):
            message = f"{plugin.name}.{name} must be {_type_name(default)}, got {reprlib.repr(value)}"
            raise UsageError(message, hint=f"the default is {default!r}")
    return own


def _fits(value: Any, default: Any) -> bool:
    if default is None:
        return True
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, (int, float)):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and abs(value) <= sys.float_info.max  # NaN is not
    if isinstance(default, (list, tuple)):
        same = isinstance(value, (list, tuple)) and len(value) == len(default)
        return same and all(map(_fits, value, default))
    return isinstance(value, type(default))


def _type_name(default: Any) -> str:
    if isinstance(default, (list, tuple)):
        return f"a list of {len(default)}"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text"}
    return names.get(type(default), f"a {type(default).__name__}")


def json_safe(value: Any) -> Any:
    """A parameter as JSON can hold it: a foreign plugin's default may be anything."""
    if isinstance(value, Mapping):
        return {str(key): json_safe(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_safe(inner) for inner in value]
    if isinstance(value, float) and not abs(value) <= sys.float_info.max:
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
