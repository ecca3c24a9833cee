"""`facecli models import-bundle`: install the models of a file that `export-bundle` wrote."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import manual, options
from facecli.cli.settings import gathered

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings


@manual.command(examples=("models import-bundle all.zip", "models import-bundle all.zip --accept-license"))
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.zip")
@options.accept_license_option
@click.option(
    "--accept-exports",
    is_flag=True,
    help="Also take exports that stand in for published files: no known hash fits them.",
)
@options.output_options
@gathered
def command(bundle: Path, *, accept_license: bool, accept_exports: bool, output: OutputSettings) -> None:
    """Install the models of a bundle; needs no network.

    Every file is hashed; all are installed, or none. Licences are accepted anew on each machine.
    """
    from facecli.cli import context
    from facecli.inventory.known import find_model
    from facecli.models.bundle import import_bundle
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        store = context.open_store(accept_licence=accept_license)
        find = partial(find_model, registry=context.registry())
        models = import_bundle(store, bundle, find, accept_exports=accept_exports)
    rows = [
        {"model": model.id, "file": file["name"], "size": file["size"], "licence": model.licence}
        for model in models
        for file in model.files
    ]
    document = records.header("models.import-bundle", path=str(bundle), models=[model.record() for model in models])
    sink.document(document, rows)
