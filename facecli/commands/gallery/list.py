"""`facecli gallery list`: everybody in a gallery."""

from __future__ import annotations

from pathlib import Path

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery list", "gallery list --gallery staff.db --json"))
@options.gallery_option
@options.output_options
@gathered
def command(output: OutputSettings, gallery: Path | None) -> None:
    """List the people of a gallery, by name."""
    from facecli.cli import context, galleries
    from facecli.output import galleries as shown
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        store = galleries.open_store(gallery)
        people = store.people()
        document = records.header("gallery.list", gallery=shown.gallery(store), people=list(map(shown.person, people)))
        store.close()
    sink.document(document, map(shown.person_row, people))
