"""`facecli models info`: everything that is known about a model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import completing, manual, options
from facecli.cli.settings import gathered

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings
    from facecli.contract import ModelFile, OperatingPoint


@manual.command(examples=("models info sface", "models info sface --json"))
@click.argument("name", shell_complete=completing.models)
@options.output_options
@gathered
def command(name: str, output: OutputSettings) -> None:
    """Tell everything that is known about a model."""
    from facecli.cli import context
    from facecli.inventory.known import find_model
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        store = context.open_store()
        spec = find_model(name, context.registry())
        state = store.state(spec)
        record = dataclasses.asdict(spec) | {
            "files": [_file(store.file(spec, file.name)) for file in spec.files],
            "cohort_point": _cohort_point(spec.cohort_point),
            "licence_accepted": store.licences.accepted(spec),
            "installed": state == "installed",
            "state": state,
            "registered": store.registration(spec.id).get("origin"),
            "fetched": store.provenance(spec.id).get("origin"),
        }
    rows = [{"field": key, "value": value} for key, value in record.items() if value not in (None, (), [])]
    sink.document(records.header("models.info", model=record), rows)


def _cohort_point(point: OperatingPoint | None) -> dict[str, Any] | None:
    """Return a point as a record; its cohort's file is named without the folder."""
    if point is None or point.cohort is None:
        return None
    record, path = dataclasses.asdict(point), point.cohort.path
    file = None if path is None else path.name
    return record | {"cohort": {"file": file, "sha256": point.cohort.sha256, "top": point.cohort.top}}


def _file(file: ModelFile) -> dict[str, Any]:
    packed = [{"archive": archive.name, "member": member} for archive, member in file.packed]
    record = {"name": file.name, "sha256": file.sha256, "size": file.size, "urls": list(file.urls)}
    return record | {"packed": packed}
