"""`facecli gallery reject`: a face that is not this person."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=('gallery reject 17 "Ada Lovelace"', "gallery reject 17 ada --dry-run"))
@click.argument("face", type=int)
@click.argument("name")
@options.gallery_option
@options.dry_run_option
@options.output_options
@gathered
def command(output: OutputSettings, face: int, name: str, gallery: Path | None, dry_run: bool) -> None:
    """Say for ever that a face is not of a person.

    If it was, it is nobody's. Enrolling the picture again and merging do not make it the person's.
    """
    from facecli.cli import galleries
    from facecli.gallery.store import changes

    galleries.change(
        output, gallery, lambda store: changes.reject(store, face, store.person(name), dry_run=dry_run), dry_run=dry_run
    )
