"""`facecli models list`: every model, its licence, and whether it is here."""

from __future__ import annotations

from typing import Any

import click

from facecli.commands import _options as options


@click.command()
@click.option("--commercial-ok", is_flag=True, help="Only those whose licence allows commercial use.")
@click.option("--installed", is_flag=True, help="Only those that are here.")
@options.output_options
def command(*, commercial_ok: bool, installed: bool, **kwargs: Any) -> None:
    """List every model: licence, size, and whether it is installed."""
    from facecli import records
    from facecli.commands import _models, _work

    sink = _work.open_output(options.Settings(**kwargs))
    with sink.opened():
        store = _work.open_store()
        found = [_models.described(spec, store) for spec in _models.every()]
    found = [m for m in found if not (commercial_ok and not m["commercial_use"])]
    found = [m for m in found if not (installed and m["state"] == "absent")]
    rows = [{key: model[key] for key in model if key != "installed"} for model in found]
    sink.document(records.header("models.list", models=found), rows)
