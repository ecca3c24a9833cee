"""`facecli models prune`: delete what was left behind in the store."""

from __future__ import annotations

from typing import Any

import click

from facecli.cli import options, settings


@click.command()
@options.output_options
def command(**kwargs: Any) -> None:
    """Delete what no model needs.

    Transfers that were cut, temporary files, and files of no model that is known. Installed models stay.
    """
    from facecli.cli import context
    from facecli.inventory import known
    from facecli.models.removal import prune
    from facecli.output import records

    sink = context.open_output(settings.Settings(**kwargs))
    with sink.opened():
        removed = prune(context.open_store(), known.every())
    rows = [{"path": str(one.path), "size": one.size, "what": one.what} for one in removed]
    sink.document(records.header("models.prune", files=rows, freed=sum(one.size for one in removed)), rows)
