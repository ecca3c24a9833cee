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
    from facecli.cli import galleries
    from facecli.gallery.store import journal

    galleries.change(output, gallery, lambda store: journal.undo(store.database, dry_run=dry_run), dry_run=dry_run)
