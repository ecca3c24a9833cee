"""`facecli gallery rename`: another name for a person."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=('gallery rename ada "Ada Lovelace"', "gallery rename ada Ada --dry-run"))
@click.argument("name")
@click.argument("new_name")
@options.gallery_option
@options.dry_run_option
@options.output_options
@gathered
def command(output: OutputSettings, name: str, new_name: str, gallery: Path | None, dry_run: bool) -> None:
    """Give a person another name."""
    from facecli.cli import galleries
    from facecli.gallery.store import changes

    galleries.change(
        output,
        gallery,
        lambda store: changes.rename(store, store.person(name), new_name, dry_run=dry_run),
        dry_run=dry_run,
    )
