"""`facecli gallery show`: what a gallery has of one person."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=('gallery show "Ada Lovelace"', "gallery show ada --json"))
@click.argument("name")
@options.gallery_option
@options.output_options
@gathered
def command(output: OutputSettings, name: str, gallery: Path | None) -> None:
    """Show the faces of one person: picture, place, and how each came there."""
    from facecli.cli import context, galleries
    from facecli.output import galleries as shown
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        store = galleries.open_store(gallery)
        person = store.person(name)
        faces = list(map(shown.face, store.faces(person)))
        document = records.header("gallery.show", gallery=shown.gallery(store), **shown.person(person), faces=faces)
        store.close()
    sink.document(document, map(shown.face_row, faces), title=person.name)
