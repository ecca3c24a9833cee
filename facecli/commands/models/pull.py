"""`facecli models pull`: fetch models, showing their licences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from facecli.cli import completing, manual, options
from facecli.cli.settings import gathered

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings
    from facecli.contract import ModelSpec
    from facecli.hosting.registry import Registry
    from facecli.models.arrival.request import InstalledFile
    from facecli.models.store import ModelStore


@manual.command(examples=("models pull mobilefacenet", "models pull scrfd/10g --accept-license"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=completing.models)
@options.accept_license_option
@options.output_options
@gathered
def command(names: tuple[str, ...], *, accept_license: bool, output: OutputSettings) -> int:
    """Fetch models, and what is missing or damaged of them.

    NAME is a model, or an archive such as buffalo_l for all models in it. A transfer that was cut goes on where it
    stopped. A licence that does not allow commercial use has to be accepted once.
    """
    from facecli.cli import context, transfers
    from facecli.cli.progress import report_error
    from facecli.cli.wording import option
    from facecli.errors import FacecliError
    from facecli.inventory.known import find_models
    from facecli.output import records

    sink = context.open_sink(output)
    models, failure = [], None
    with sink.opened(), transfers.progress_bars(quiet=output.quiet) as progress:
        store = context.open_store(accept_licence=accept_license, progress=progress)
        for spec in find_models(names, context.registry()):
            if not output.quiet:
                _print_licence(spec)
            try:
                models.append(_record(spec, files=_pull(spec, store, context.registry(), quiet=output.quiet)))
            except FacecliError as error:
                report_error(spec.id, error)
                failure = error
                models.append(_record(spec, files=[], error=error.as_dict(option)))
    columns = ("file", "state", "source")
    rows = [
        {"model": model["id"], "licence": model["licence"], **{key: file[key] for key in columns}}
        for model in models
        for file in model["files"]
    ]
    sink.document(records.header("models.pull", models=models), rows)
    return failure.exit_code if failure else 0


def _pull(spec: ModelSpec, store: ModelStore, registry: Registry, *, quiet: bool) -> list[dict[str, Any]]:
    """Fetch a model, try it, and record its self-tests; return the records of its files.

    Raises ModelError, with nothing kept, for a model that can not be right.
    """
    from facecli.errors import FacecliError
    from facecli.inventory import trial
    from facecli.inventory.known import all_models
    from facecli.models import removal
    from facecli.models.selftests import asking

    files = store.pull(spec)
    if not quiet:
        _print_notes(files)
    try:
        if any(file.source for file in files):
            trial.run_installed(spec, store, registry)
        asking.record_missing(store, spec)
    except FacecliError:
        removal.remove(store, [spec], all_models(registry))
        raise
    return [
        {"file": file.name, "state": "fetched" if file.source else "present", "source": file.source}
        | {"sha256": file.sha256, "path": str(file.path), "mended": list(file.notes)}
        for file in files
    ]


def _print_notes(files: list[InstalledFile]) -> None:
    from facecli.system.streams import print_error

    for file in files:
        for note in file.notes:
            print_error(f"{file.name}: {note}")


def _record(spec: ModelSpec, *, files: list[dict[str, Any]], error: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "id": spec.id,
        "licence": spec.licence,
        "licence_url": spec.licence_url,
        "commercial_use": spec.commercial_use,
        "files": files,
        "error": error,
    }


def _print_licence(spec: ModelSpec) -> None:
    from facecli.system.streams import print_error

    allowed = "allows commercial use" if spec.commercial_use else "does NOT allow commercial use"
    where = f", {spec.licence_url}" if spec.licence_url else ""
    print_error(f"{spec.id}: licence {spec.licence}{where}; {allowed}")
