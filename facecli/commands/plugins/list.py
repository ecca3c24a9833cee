"""`facecli plugins list`: every plugin that is found, and which of them are broken."""

from __future__ import annotations

from typing import Any

import click

from facecli.cli import options, settings
from facecli.hosting.problems import _load, _summary


@click.command()
@options.output_options
def command(**kwargs: Any) -> None:
    """Every plugin found, ours and others'; a broken one with the reason and its distribution."""
    from facecli.cli import context, progress
    from facecli.hosting.entry_points import KINDS
    from facecli.output import records

    sink = context.open_output(settings.Settings(**kwargs))
    registry = context.registry()
    with sink.opened():
        rows = [_summary(entry, *_load(registry, entry)) for kind in KINDS for entry in registry.entries(kind)]
    for error in registry.unreadable:
        progress.tell("plugins", error)
    unreadable = [error.message for error in registry.unreadable]
    sink.document(records.header("plugins.list", plugins=rows, unreadable=unreadable), rows)
