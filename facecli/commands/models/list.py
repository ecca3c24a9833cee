"""`facecli models list`: every model, its licence, and whether it is here."""

from __future__ import annotations

from typing import Any

import click

from facecli.cli import options, settings


@click.command()
@click.option("--commercial-ok", is_flag=True, help="Only those whose licence allows commercial use.")
@click.option("--installed", is_flag=True, help="Only those that are here.")
@options.output_options
def command(*, commercial_ok: bool, installed: bool, **kwargs: Any) -> None:
    """List every model: licence, size, and whether it is installed."""
    from facecli.cli import context
    from facecli.inventory import known
    from facecli.output import records

    sink = context.open_output(settings.Settings(**kwargs))
    with sink.opened():
        store = context.open_store()
        found = [known.described(spec, store) for spec in known.every()]
    found = [m for m in found if not (commercial_ok and not m["commercial_use"])]
    found = [m for m in found if not (installed and m["state"] == "absent")]
    rows = [{key: model[key] for key in model if key != "installed"} for model in found]
    sink.document(records.header("models.list", models=found), rows)
