"""`facecli models path`: where a model's files lie."""

from __future__ import annotations

from typing import Any

import click

from facecli.cli import options, settings


@click.command()
@click.argument("name")
@options.output_options
def command(name: str, **kwargs: Any) -> None:
    """Tell where a model's files lie; fetches them first."""
    from facecli.cli import context
    from facecli.cli.transfers import shown
    from facecli.inventory import known
    from facecli.output import records

    sink = context.open_output(settings.Settings(**kwargs))
    with sink.opened(), shown() as progress:
        store = context.open_store(progress=progress)
        spec = known.find(name)
        rows = [{"file": file.name, "path": str(store.path(spec, file.name))} for file in spec.files]
    sink.document(records.header("models.path", model=spec.id, files=rows), rows)
