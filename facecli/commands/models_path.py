"""`facecli models path`: where a model's files lie."""

from __future__ import annotations

from typing import Any

import click

from facecli.commands import _options as options


@click.command()
@click.argument("name")
@options.output_options
def command(name: str, **kwargs: Any) -> None:
    """Tell where a model's files lie; fetches them first."""
    from facecli import records
    from facecli.commands import _models, _transfers, _work

    sink = _work.open_output(options.Settings(**kwargs))
    with sink.opened(), _transfers.shown() as progress:
        store = _work.open_store(progress=progress)
        spec = _models.find(name)
        rows = [{"file": file.name, "path": str(store.path(spec, file.name))} for file in spec.files]
    sink.document(records.header("models.path", model=spec.id, files=rows), rows)
