"""`facecli models rm`: delete the files of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from facecli.cli import completing, manual, options
from facecli.cli.settings import gathered

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings


@manual.command(examples=("models rm mobilefacenet", "models rm mine other"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=completing.models)
@options.output_options
@gathered
def command(names: tuple[str, ...], output: OutputSettings) -> None:
    """Delete the files of models from the store.

    A file that another model has, too, is kept. Models that came with facecli or a plugin can not be removed.
    """
    from facecli.cli import context
    from facecli.inventory.known import all_models, find_models
    from facecli.models.removal import remove
    from facecli.output import records

    sink, registry = context.open_sink(output), context.registry()
    with sink.opened():
        specs = find_models(names, registry)
        files = remove(context.open_store(), specs, all_models(registry))
    rows = [
        {"model": file.what, "path": str(file.path), "size": file.size, "removed": not file.kept_for}
        | {"kept_for": file.kept_for}
        for file in files
    ]
    freed = sum(file.size for file in files if not file.kept_for)
    sink.document(records.header("models.rm", models=[spec.id for spec in specs], files=rows, freed=freed), rows)
