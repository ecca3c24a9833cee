"""`facecli gallery ignore`: a person who is never named."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery ignore stranger", "gallery ignore stranger --dry-run"))
@click.argument("name")
@options.gallery_option
@options.dry_run_option
@options.output_options
@gathered
def command(output: OutputSettings, name: str, gallery: Path | None, dry_run: bool) -> None:
    """Recognise a person and never name them."""
    from facecli.cli import galleries
    from facecli.gallery.store import changes

    galleries.change(
        output, gallery, lambda store: changes.ignore(store, store.person(name), dry_run=dry_run), dry_run=dry_run
    )
