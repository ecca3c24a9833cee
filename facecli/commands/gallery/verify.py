"""`facecli gallery verify`: whether a gallery's file is sound."""

from __future__ import annotations

from pathlib import Path

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery verify", "gallery verify --gallery staff.db --json"))
@options.gallery_option
@options.output_options
@gathered
def command(output: OutputSettings, gallery: Path | None) -> int:
    """Check a gallery: its file, the references in it, every template, and the cache of its search beside it.

    Exit code 1 if something is wrong.
    """
    from facecli.cli import context, galleries
    from facecli.gallery.store import care
    from facecli.output import galleries as shown

    sink = context.open_sink(output)
    with sink.opened():
        store = galleries.open_store(gallery)
        document = shown.verified(store, care.checks(store))
        store.close()
    sink.document(document, document["checks"])
    return 0 if document["sound"] else 1
