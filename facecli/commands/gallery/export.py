"""`facecli gallery export`: a gallery for other programs and other galleries."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery export people.zip", "gallery export people.npz --yes --gallery staff.db"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.gallery_option
@options.yes_option
@options.output_options
@gathered
def command(output: OutputSettings, file: Path, gallery: Path | None, yes: bool) -> None:
    """Write people, faces, embeddings and rejections of a gallery into FILE.

    A .npz file, without pickles; a .parquet file; or a .zip file with the crops that were kept, a folder for each
    person.
    """
    from facecli.cli import context, galleries
    from facecli.gallery.store import exchange_files
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
        faces = exchange_files.export(store, file)
        document = records.header("gallery.export", gallery=shown.gallery(store), file=str(file), faces=faces)
        store.close()
    sink.document(document, [{"file": str(file), "faces": faces}])
