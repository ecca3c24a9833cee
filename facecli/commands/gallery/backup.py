"""`facecli gallery backup`: a copy of a gallery."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery backup monday.db", "gallery backup monday.db --yes --gallery staff.db"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.gallery_option
@options.yes_option
@options.output_options
@gathered
def command(output: OutputSettings, file: Path, gallery: Path | None, yes: bool) -> None:
    """Copy a gallery as it is now, also while others change it.

    The copy is a gallery, too; copying it back restores it.
    """
    from facecli.cli import context, galleries
    from facecli.gallery.store import care
    from facecli.output import galleries as shown
    from facecli.output import overwriting, records
    from facecli.system.files import check_writable

    sink = context.open_sink(output)
    with sink.opened():
        store = galleries.open_store(gallery)
        overwriting.refuse_inputs(file, [store.path], "gallery")
        check_writable(file)
        if file.exists():
            galleries.confirm(f"write over {file}", yes=yes)
        care.backup(store, file)
        size = file.stat().st_size
        document = records.header("gallery.backup", gallery=shown.gallery(store), file=str(file), bytes=size)
        store.close()
    sink.document(document, [{"file": str(file), "bytes": size}])
