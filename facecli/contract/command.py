"""The contract of a plugin that adds a command to the `facecli` program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class CommandGroup(Protocol):
    """The group that a command is added to: a click.Group, of which facecli itself needs no more than this.

    A plugin may use all that click offers, such as the decorator `@group.command("name")`.
    """

    @property
    def commands(self) -> Mapping[str, Any]:
        """The commands that were added to the group: name -> click.Command."""

    def add_command(self, cmd: Any, name: str | None = None) -> None:
        """Add a click.Command under a name, the command's own by default."""
