"""`facecli models export-bundle`: installed models in one file, for a machine without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import options, settings

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.models.store import ModelStore


@click.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.zip")
@click.argument("names", nargs=-1)
@options.accept_license_option
@options.output_options
def command(target: Path, names: tuple[str, ...], *, accept_license: bool, **kwargs: Any) -> None:
    """Write models into one file for `import-bundle`.

    NAMES are fetched first where they are not installed; without any, all that are installed are written. Models that
    come with facecli are everywhere and are left out.
    """
    from facecli.cli import context
    from facecli.cli.transfers import shown
    from facecli.inventory import known
    from facecli.models.bundle import export_bundle
    from facecli.output import records
    from facecli.system.files import check_writable

    sink = context.open_output(settings.Settings(**kwargs))
    check_writable(target)
    with sink.opened(), shown(quiet=kwargs["quiet"]) as progress:
        store = context.open_store(accept_licence=accept_license, progress=progress)
        bundled = export_bundle(store, _wanted(known.find_all(names) or known.every(), store, named=names), target)
    rows = [{"model": model.id, "file": f["name"], "size": f["size"]} for model in bundled for f in model.files]
    document = records.header("models.export-bundle", path=str(target), size=target.stat().st_size)
    sink.document(document | {"models": [known.bundled(model) for model in bundled]}, rows)


def _wanted(specs: list[ModelSpec], store: ModelStore, *, named: tuple[str, ...]) -> list[ModelSpec]:
    """Those that can go into a bundle. Raises UsageError if none can."""
    from facecli.errors import UsageError

    foreign = [spec for spec in specs if not any(file.path for file in spec.files)]
    if named:
        for spec in foreign:
            store.pull(spec)
    found = [spec for spec in foreign if store.state(spec) != "absent"]
    if not found:
        raise UsageError("nothing to bundle: no such model is installed", hint="facecli models list")
    return found
