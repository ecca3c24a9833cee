"""`facecli models info`: everything that is known about a model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import options, settings

if TYPE_CHECKING:
    from facecli.contract import ModelFile


@click.command()
@click.argument("name")
@options.output_options
def command(name: str, **kwargs: Any) -> None:
    """Tell everything that is known about a model."""
    from facecli.cli import context
    from facecli.inventory.known import find
    from facecli.output import records

    sink = context.open_output(settings.Settings(**kwargs))
    with sink.opened():
        store = context.open_store()
        spec = find(name)
        state = store.state(spec)
        known = dataclasses.asdict(spec) | {
            "files": [_described(store.file(spec, file.name)) for file in spec.files],
            "licence_accepted": store.licences.accepted(spec),
            "installed": state == "installed",
            "state": state,
            "registered": store.registration(spec.id).get("origin"),
            "fetched": store.provenance(spec.id).get("origin"),
        }
    rows = [{"field": key, "value": value} for key, value in known.items() if value not in (None, (), [])]
    sink.document(records.header("models.info", model=known), rows)


def _described(file: ModelFile) -> dict[str, Any]:
    packed = [{"archive": archive.name, "member": member} for archive, member in file.packed]
    known = {"name": file.name, "sha256": file.sha256, "size": file.size, "urls": list(file.urls)}
    return known | {"packed": packed}
