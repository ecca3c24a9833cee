"""The groups of the command line: they find a command's file, or a plugin's, when it is named."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from facecli.cli import context, suggestions
from facecli.errors import UsageError
from facecli.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facecli.hosting.entry_points import PluginEntry


COMMANDS = (
    "detect",
    "verify",
    "embed",
    "compare",
    "emotion",
    "analyze",
    "enroll",
    "identify",
    "gallery",
    "cluster",
    "track",
    "serve",
    "anonymize",
    "evaluate",
    "evaluate-detection",
    "evaluate-identification",
    "evaluate-tracking",
    "calibrate",
    "export",
    "models",
    "plugins",
    "doctor",
    "completion",
)


class SuggestingGroup(click.Group):
    """A group that tells which of its commands a wrong name is close to."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the name, the command and the remaining words; raise UsageError for a name that no command has."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            raise UsageError(f"there is no command {name!r}", hint=suggestions.for_command(ctx, name))
        return super().resolve_command(ctx, args)


class FacecliGroup(SuggestingGroup):
    """The root group: built-in commands by file name, third-party ones by entry point; imported when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return our commands in the order of a user's day, then the commands of plugins by name."""
        return [*COMMANDS, *sorted(_plugin_commands(ctx))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, or None."""
        if cmd_name in COMMANDS:
            return _imported(cmd_name)
        entry = _plugin_commands(ctx).get(cmd_name)
        if entry is not None and cmd_name not in self.commands:
            context.registry_of(ctx).add_command(entry, self)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list in --help; a plugin's command is not imported, its distribution stands for a summary."""
        rows = [(name, self.get_command(ctx, name).get_short_help_str(80)) for name in COMMANDS]  # type: ignore[union-attr]
        rows += [(name, f"(from {entry.origin})") for name, entry in sorted(_plugin_commands(ctx).items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=FacecliGroup, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, "--version", "-V", prog_name="facecli")
@click.option("--debug", is_flag=True, envvar="FACECLI_DEBUG", help="Show tracebacks.")
@click.option(
    "--no-plugins", is_flag=True, is_eager=True, envvar="FACECLI_NO_PLUGINS", help="Leave third-party plugins out."
)
@click.option("--offline", is_flag=True, envvar="FACECLI_OFFLINE", help="Never fetch a model from the network.")
def group(**_flags: bool) -> None:
    """Detect, verify and describe faces in pictures, offline.

    Results go to stdout: a table on a terminal, JSON elsewhere, or as --format says. Everything else goes to stderr.
    `facecli COMMAND --help` shows what a command takes, with examples.
    """


def _plugin_commands(ctx: click.Context) -> dict[str, PluginEntry]:
    return {entry.name: entry for entry in context.registry_of(ctx).entries("commands") if entry.name not in COMMANDS}


class VerbGroup(SuggestingGroup):
    """A group with one file for each of its verbs; a file is imported when its verb is named."""

    def __init__(self, name: str, verbs: Sequence[str], *, help: str) -> None:  # noqa: A002 # as click calls it
        super().__init__(name, help=help)
        self._verbs = tuple(verbs)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 # click's
        """Return the verbs in the order in which they were given."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of this name, or None."""
        return _imported(f"{self.name}.{cmd_name}") if cmd_name in self._verbs else None


def _imported(name: str) -> click.Command:
    command: click.Command = importlib.import_module(f"facecli.commands.{name.replace('-', '_')}").command
    return command
