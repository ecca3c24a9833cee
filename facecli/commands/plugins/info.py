"""`facecli plugins info`: what one plugin is, needs and takes."""

from __future__ import annotations

from typing import Any

import click

from facecli.cli import options, settings


@click.command()
@click.argument("name")
@options.output_options
def command(name: str, **kwargs: Any) -> None:
    """What a plugin is, what it needs and which parameters it takes."""
    from facecli.cli import context
    from facecli.cli.inspection import inspector
    from facecli.output import plugins, records

    sink = context.open_output(settings.Settings(**kwargs))
    with sink.opened():
        inspections = inspector().inspect_named(name)
    rows = [row for inspection in inspections for row in plugins.detail_rows(inspection)]
    sink.document(records.header("plugins.info", plugins=list(map(plugins.detail, inspections))), rows)
