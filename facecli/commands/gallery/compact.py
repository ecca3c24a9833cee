"""`facecli gallery compact`: a gallery's file written anew."""

from __future__ import annotations

from pathlib import Path

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery compact", "gallery compact --gallery staff.db --json"))
@options.gallery_option
@options.output_options
@gathered
def command(output: OutputSettings, gallery: Path | None) -> None:
    """Write a gallery's file anew and empty its log: nothing is left of what was deleted."""
    from facecli.cli import context, galleries
    from facecli.gallery.store import care
    from facecli.output import galleries as shown
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        store = galleries.open_store(gallery)
        before, after = care.compact(store)
        sizes = {"bytes_before": before, "bytes_after": after}
        document = records.header("gallery.compact", gallery=shown.gallery(store), **sizes)
        store.close()
    sink.document(document, [sizes])
