"""`facecli models prune`: delete what was left behind in the store."""

from __future__ import annotations

from typing import Any

import click

from facecli.commands import _options as options


@click.command()
@options.output_options
def command(**kwargs: Any) -> None:
    """Delete what no model needs.

    Transfers that were cut, temporary files, and files of no model that is known. Installed models stay.
    """
    from facecli import records
    from facecli.commands import _models, _work
    from facecli.models.removal import prune

    sink = _work.open_output(options.Settings(**kwargs))
    with sink.opened():
        removed = prune(_work.open_store(), _models.every())
    rows = [{"path": str(one.path), "size": one.size, "what": one.what} for one in removed]
    sink.document(records.header("models.prune", files=rows, freed=sum(one.size for one in removed)), rows)
