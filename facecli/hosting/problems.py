"""Trying out plugins, to find those that are broken, and why, before anybody uses them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from facecli.contract.command import CommandGroup
from facecli.contract.plugin import Descriptor
from facecli.errors import PluginError
from facecli.hosting.entry_points import PluginEntry
from facecli.hosting.neighbours import close_to
from facecli.hosting.registry import Registry
from facecli.kinds import KINDS

MOST_CLOSE = 5  # names that a hint lists


@dataclass(frozen=True, slots=True)
class Inspection:
    """A plugin that was tried out.

    descriptor: None for a command, which has none, and for a broken plugin. problem: why it is broken, or None.
    """

    entry: PluginEntry
    descriptor: Descriptor | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Inspector:
    """Tries out the plugins of a registry.

    built_in_commands: the names of facecli's own commands, which no plugin can take. new_group: makes an empty click
    group, for a command plugin to add its command to.
    """

    registry: Registry
    built_in_commands: Collection[str]
    new_group: Callable[[], CommandGroup]

    def inspect(self, entry: PluginEntry) -> Inspection:
        """Import one plugin and call its hook. Nothing that a plugin does wrong raises."""
        if entry.kind == "commands" and entry.name in self.built_in_commands:
            problem = f"the name {entry.name!r} belongs to facecli itself ({entry.origin} can not take it)"
            return Inspection(entry, problem=problem)
        try:
            if entry.kind == "commands":
                self.registry.add_command(entry, self.new_group())
                return Inspection(entry)
            return Inspection(entry, self.registry.load_entry(entry))
        except PluginError as error:
            return Inspection(entry, problem=error.message)

    def inspect_all(self) -> list[Inspection]:
        """Try out every plugin, kind by kind in the order of KINDS."""
        return [self.inspect(entry) for kind in KINDS for entry in self.registry.entries(kind)]

    def inspect_named(self, name: str) -> list[Inspection]:
        """Try out the plugins of this name, of any kind and distribution. Raises PluginError if there is none."""
        return [self.inspect(entry) for entry in named(self.registry, name)]


def named(registry: Registry, name: str) -> list[PluginEntry]:
    """Return the plugins of this name, of any kind and distribution. Raises PluginError if there is none."""
    entries = [entry for kind in KINDS for entry in registry.entries(kind) if entry.name == name]
    if not entries:
        known = [entry.name for kind in KINDS for entry in registry.entries(kind)]
        close = list(dict.fromkeys(close_to(name, known)))
        hint = f"did you mean {', '.join(close[:MOST_CLOSE])}?" if close else "`facecli plugins list` names them all"
        raise PluginError(f"there is no plugin {name!r}", hint=hint)
    return entries
