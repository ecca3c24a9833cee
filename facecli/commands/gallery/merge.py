"""`facecli gallery merge`: two people become one."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=('gallery merge ada "Ada Lovelace"', "gallery merge ada augusta --dry-run"))
@click.argument("name")
@click.argument("into")
@options.gallery_option
@options.dry_run_option
@options.output_options
@gathered
def command(output: OutputSettings, name: str, into: str, gallery: Path | None, dry_run: bool) -> None:
    """Make one person of two: all faces of NAME are INTO's.

    Two people who are in one picture are two people, and are not merged; nor are they where somebody said that a face
    of one is not of the other.
    """
    from facecli.cli import galleries
    from facecli.gallery.store import changes

    galleries.change(
        output,
        gallery,
        lambda store: changes.merge(store, store.person(name), store.person(into), dry_run=dry_run),
        dry_run=dry_run,
    )
