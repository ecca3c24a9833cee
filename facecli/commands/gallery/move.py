"""`facecli gallery move`: faces to another person."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=('gallery move 17 18 "Ada Lovelace"', "gallery move 17 Grace --dry-run"))
@click.argument("faces", type=int, nargs=-1, required=True, metavar="FACE...")
@click.argument("name")
@options.gallery_option
@options.dry_run_option
@options.output_options
@gathered
def command(output: OutputSettings, faces: tuple[int, ...], name: str, gallery: Path | None, dry_run: bool) -> None:
    """Give faces to another person, who is made if there is none.

    FACE is a number that `facecli gallery show NAME` tells.
    """
    from facecli.cli import galleries
    from facecli.gallery.store import changes

    galleries.change(output, gallery, lambda store: changes.move(store, faces, name, dry_run=dry_run), dry_run=dry_run)
