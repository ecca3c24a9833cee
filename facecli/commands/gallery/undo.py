"""`facecli gallery undo`: the latest change, taken back."""

from __future__ import annotations

from pathlib import Path

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery undo", "gallery undo --dry-run"))
@options.gallery_option
@options.dry_run_option
@options.output_options
@gathered
def command(output: OutputSettings, gallery: Path | None, dry_run: bool) -> None:
    """Take back the latest rename, merge, move, reject or ignore; again, the one before.

    What was enrolled stays. A removal can not be taken back, nor what was before it.
    """
    from facecli.cli import context, galleries
    from facecli.gallery.store import journal
    from facecli.output import galleries as shown

    sink = context.open_sink(output)
    with sink.opened():
        store = galleries.open_store(gallery)
        change = journal.undo(store.database, dry_run=dry_run)
        document = shown.changed(store, change, dry_run=dry_run)
        store.close()
    sink.document(document, [shown.change_row(document)])
