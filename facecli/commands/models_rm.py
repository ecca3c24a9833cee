"""`facecli models rm`: delete the files of models."""

from __future__ import annotations

from typing import Any

import click

from facecli.commands import _options as options


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.output_options
def command(names: tuple[str, ...], **kwargs: Any) -> None:
    """Delete the files of models from the store.

    A file that another model has, too, is kept. Models that came with facecli or a plugin can not be removed.
    """
    from facecli import records
    from facecli.commands import _models, _work
    from facecli.models.removal import remove

    sink = _work.open_output(options.Settings(**kwargs))
    with sink.opened():
        specs = _models.find_all(names)
        removed = remove(_work.open_store(), specs, _models.every())
    rows = [
        {"model": one.what, "path": str(one.path), "size": one.size, "removed": not one.kept_for}
        | {"kept_for": one.kept_for}
        for one in removed
    ]
    freed = sum(one.size for one in removed if not one.kept_for)
    sink.document(records.header("models.rm", models=[spec.id for spec in specs], files=rows, freed=freed), rows)
