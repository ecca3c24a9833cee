"""Every plugin can be tried out, and what is wrong with it becomes a text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from facecli.contract import DetectorPlugin
from facecli.errors import PluginError
from facecli.hosting.entry_points import PluginEntry
from facecli.hosting.problems import Inspector, named
from facecli.kinds import Kind


@dataclass
class Group:
    """A group of commands without click."""

    commands: dict[str, Any] = field(default_factory=dict)

    def add_command(self, cmd: Any, name: str | None = None) -> None:
        self.commands[str(name)] = cmd


class Shelf:
    """A registry of three plugins: one works, one is broken, one is a command."""

    SEE, BLIND, HELLO = (
        PluginEntry("detectors", "see", "m", "acme", "1.0"),
        PluginEntry("detectors", "blind", "m", "acme", "1.0"),
        PluginEntry("commands", "hello", "m", "acme", "1.0"),
    )

    def entries(self, kind: Kind) -> list[PluginEntry]:
        return [entry for entry in (self.SEE, self.BLIND, self.HELLO) if entry.kind == kind]

    def load_entry(self, entry: PluginEntry) -> DetectorPlugin:
        if entry.name == "blind":
            raise PluginError("blind is broken: no eyes")
        return DetectorPlugin(entry.name, "", lambda *_: None, landmarks=False)  # type: ignore[arg-type, return-value]

    def add_command(self, entry: PluginEntry, group: Group) -> None:
        assert group.commands == {}  # an own group for every command
        group.add_command(entry, entry.name)


def inspector(*built_in: str) -> Inspector:
    shelf: Any = Shelf()
    return Inspector(shelf, built_in, Group)


def test_every_plugin_is_tried_and_a_broken_one_has_its_problem() -> None:
    inspections = inspector().inspect_all()
    assert [(i.entry.name, i.problem) for i in inspections] == [
        ("see", None),
        ("blind", "blind is broken: no eyes"),
        ("hello", None),
    ]
    assert [i.descriptor is None for i in inspections] == [False, True, True]


def test_a_command_can_not_have_the_name_of_one_of_ours() -> None:
    (inspection,) = inspector("hello", "verify").inspect_named("hello")
    assert inspection.problem == "the name 'hello' belongs to facecli itself (acme 1.0 can not take it)"


def test_a_name_that_no_plugin_has_is_an_error() -> None:
    shelf: Any = Shelf()
    assert named(shelf, "see") == [Shelf.SEE]
    with pytest.raises(PluginError, match="there is no plugin 'nobody'; `facecli plugins list`"):
        named(shelf, "nobody")
