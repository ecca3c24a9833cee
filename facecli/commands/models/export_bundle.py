"""`facecli models export-bundle`: installed models in one file, for a machine without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import completing, manual, options
from facecli.cli.settings import gathered

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings
    from facecli.contract import ModelSpec
    from facecli.models.store import ModelStore


@manual.command(examples=("models export-bundle all.zip", "models export-bundle some.zip sface yunet/2023mar"))
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.zip")
@click.argument("names", nargs=-1, shell_complete=completing.models)
@options.accept_license_option
@options.output_options
@gathered
def command(target: Path, names: tuple[str, ...], *, accept_license: bool, output: OutputSettings) -> None:
    """Write models into one file for `import-bundle`.

    NAMES are fetched first where they are not installed; without any, all that are installed are written. Models that
    come with facecli are everywhere and are left out.
    """
    from facecli.cli import context
    from facecli.cli.transfers import progress_bars
    from facecli.inventory.known import all_models, find_models
    from facecli.models.bundle import export_bundle
    from facecli.output import records
    from facecli.system.files import check_writable

    sink, registry = context.open_sink(output), context.registry()
    check_writable(target)
    with sink.opened(), progress_bars(quiet=output.quiet) as progress:
        store = context.open_store(accept_licence=accept_license, progress=progress)
        specs = find_models(names, registry) or all_models(registry)
        models = export_bundle(store, _portable(specs, store, fetch=bool(names)), target)
    rows = [{"model": model.id, "file": file["name"], "size": file["size"]} for model in models for file in model.files]
    document = records.header("models.export-bundle", path=str(target), size=target.stat().st_size)
    sink.document(document | {"models": [model.record() for model in models]}, rows)


def _portable(specs: list[ModelSpec], store: ModelStore, *, fetch: bool) -> list[ModelSpec]:
    """Return the installed models that no package carries. fetch: install them first. Raises UsageError for none."""
    from facecli.errors import UsageError

    movable = [spec for spec in specs if not any(file.path for file in spec.files)]
    if fetch:
        for spec in movable:
            store.pull(spec)
    installed = [spec for spec in movable if store.state(spec) != "absent"]
    if not installed:
        raise UsageError("nothing to bundle: no such model is installed", hint="facecli models list")
    return installed
