"""`facecli models rm`: delete the files of models."""

from __future__ import annotations

from typing import Any

import click

from facecli.cli import options, settings


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.output_options
def command(names: tuple[str, ...], **kwargs: Any) -> None:
    """Delete the files of models from the store.

    A file that another model has, too, is kept. Models that came with facecli or a plugin can not be removed.
    """
    from facecli.cli import context
    from facecli.inventory import known
    from facecli.models.removal import remove
    from facecli.output import records

    sink = context.open_output(settings.Settings(**kwargs))
    with sink.opened():
        specs = known.find_all(names)
        removed = remove(context.open_store(), specs, known.every())
    rows = [
        {"model": one.what, "path": str(one.path), "size": one.size, "removed": not one.kept_for}
        | {"kept_for": one.kept_for}
        for one in removed
    ]
    freed = sum(one.size for one in removed if not one.kept_for)
    sink.document(records.header("models.rm", models=[spec.id for spec in specs], files=rows, freed=freed), rows)
