"""`facecli plugins info`: what one plugin is, needs and takes."""

from __future__ import annotations

from typing import Any

import click

from facecli.cli import options, settings
from facecli.hosting.problems import _detail, _named


@click.command()
@click.argument("name")
@options.output_options
def command(name: str, **kwargs: Any) -> None:
    """What a plugin is, what it needs and which parameters it takes."""
    from facecli.cli import context
    from facecli.output import records

    sink = context.open_output(settings.Settings(**kwargs))
    registry = context.registry()
    with sink.opened():
        known = [_detail(registry, entry) for entry in _named(registry, name)]
    rows = [{"field": key, "value": value} for one in known for key, value in one.items() if value is not None]
    sink.document(records.header("plugins.info", plugins=known), rows)
