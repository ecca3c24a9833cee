"""`facecli models list`: every model, its licence, and whether it is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from facecli.cli import manual, options
from facecli.cli.settings import gathered

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings
    from facecli.contract import ModelSpec


@manual.command(examples=("models list --installed", "models list --commercial-ok --long"))
@click.option("--commercial-ok", is_flag=True, help="Only those whose licence allows commercial use.")
@click.option("--installed", is_flag=True, help="Only those that are here.")
@options.long_option
@options.output_options
@gathered
def command(*, commercial_ok: bool, installed: bool, long: bool, output: OutputSettings) -> None:
    """List every model: licence, size, and whether it is installed."""
    from facecli.cli import context
    from facecli.inventory.known import all_models
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        store = context.open_store()
        models = [_record(spec, store.state(spec)) for spec in all_models(context.registry())]
    models = [model for model in models if not (commercial_ok and not model["commercial_use"])]
    models = [model for model in models if not (installed and model["state"] == "absent")]
    rows = [{key: model[key] for key in model if key != "installed"} for model in models]
    brief = [{key: row[key] for key in ("id", "state", "summary")} for row in rows]
    sink.document(records.header("models.list", models=models), rows, table=rows if long else brief)


def _record(spec: ModelSpec, state: str) -> dict[str, Any]:
    from facecli.inventory.known import size_of

    return {
        "id": spec.id,
        "kind": spec.kind,
        "installed": state == "installed",
        "state": state,
        "licence": spec.licence,
        "commercial_use": spec.commercial_use,
        "size": size_of(spec),
        "summary": spec.summary,
    }
