"""`facecli models path`: where a model's files lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from facecli.cli import completing, manual, options
from facecli.cli.settings import gathered

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings


@manual.command(examples=("models path sface", "models path yunet/2023mar --json"))
@click.argument("name", shell_complete=completing.models)
@options.output_options
@gathered
def command(name: str, output: OutputSettings) -> None:
    """Tell where a model's files lie; fetches them first."""
    from facecli.cli import context
    from facecli.cli.transfers import progress_bars
    from facecli.inventory.known import find_model
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened(), progress_bars() as progress:
        store = context.open_store(progress=progress)
        spec = find_model(name, context.registry())
        rows = [{"file": file.name, "path": str(store.path(spec, file.name))} for file in spec.files]
    sink.document(records.header("models.path", model=spec.id, files=rows), rows)
