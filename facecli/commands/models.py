"""`facecli models`: what models there are, how to get them, and whether they are what they should be."""

from __future__ import annotations

import importlib

import click

VERBS = ("list", "info", "pull", "add", "path", "verify", "rm", "prune", "export-bundle", "import-bundle")


class VerbGroup(click.Group):
    """One verb, one file, `models_<verb>.py`; each is imported when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 # click's
        """In the order of a model's life."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, or None."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"facecli.commands.models_{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=VerbGroup)
def command() -> None:
    """List, fetch, locate, verify and remove models."""
