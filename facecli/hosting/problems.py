"""TODO: facecli.hosting.problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from facecli.hosting.entry_points import PluginEntry
    from facecli.hosting.registry import Registry


def _named(registry: Registry, name: str) -> list[PluginEntry]:
    from facecli.errors import PluginError
    from facecli.hosting.entry_points import KINDS

    found = [entry for kind in KINDS for entry in registry.entries(kind) if entry.name == name]
    if not found:
        raise PluginError(f"there is no plugin {name!r}", hint="`facecli plugins list` names them all")
    return found


def _load(registry: Registry, entry: PluginEntry) -> tuple[Any, str | None]:
    """The descriptor (None for a command, which has none) and why it is broken, if it is."""
    from facecli.cli.group import COMMANDS
    from facecli.errors import PluginError

    if entry.kind == "commands" and entry.name in COMMANDS:
        return None, f"the name {entry.name!r} belongs to facecli itself ({entry.origin} can not take it)"
    try:
        if entry.kind == "commands":
            registry.add_command(entry, click.Group("trial"))
            return None, None
        return registry.load_entry(entry), None
    except PluginError as error:
        return None, error.message


def find_problem(registry: Registry, entry: PluginEntry) -> str | None:
    """Why a plugin is broken, or None."""
    return _load(registry, entry)[1]


def _summary(entry: PluginEntry, descriptor: Any, problem: str | None) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "distribution": entry.distribution,
        "version": entry.version,
        "summary": getattr(descriptor, "summary", None),
        "problem": problem,
    }


def _detail(registry: Registry, entry: PluginEntry) -> dict[str, Any]:
    descriptor, _ = loaded = _load(registry, entry)
    return _summary(entry, *loaded) | {
        "module": entry.module,
        "parameters": {name: _plain(value) for name, value in getattr(descriptor, "parameters", {}).items()},
        "models": [spec.id for spec in getattr(descriptor, "models", ())],
    }


def _plain(value: object) -> object:
    """A parameter's default as JSON has it, or as text: a plugin may have one that JSON can not hold."""
    from facecli.output.sink import dumps

    try:
        dumps(value)
    except (TypeError, ValueError):
        return str(value)
    return value
