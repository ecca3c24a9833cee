"""`facecli gallery ignore`: a person who is never named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered

if TYPE_CHECKING:
    from facecli.gallery.store.journal import Change
    from facecli.gallery.store.store import GalleryStore


@manual.command(examples=("gallery ignore stranger", "gallery ignore 17 --dry-run"))
@click.argument("who", metavar="NAME|FACE")
@options.gallery_option
@options.dry_run_option
@options.output_options
@gathered
def command(output: OutputSettings, who: str, gallery: Path | None, dry_run: bool) -> None:
    """Recognise a person and never name them, nor ask who they are.

    FACE is the number of a face that is nobody's, as `facecli cluster --gallery` tells it: whose face it is is ignored,
    under the name "face 17".
    """
    from facecli.cli import galleries

    galleries.change(output, gallery, lambda store: _ignored(store, who, dry_run=dry_run), dry_run=dry_run)


def _ignored(store: GalleryStore, who: str, *, dry_run: bool) -> Change:
    """Ignore the person of a name, or else, if it is a number, whose face has that."""
    from facecli.errors import UsageError
    from facecli.gallery.store import changes

    try:
        person = store.person(who)
    except UsageError:
        if not (who.isascii() and who.isdecimal()):
            raise
        return changes.ignore_face(store, int(who), dry_run=dry_run)
    return changes.ignore(store, person, dry_run=dry_run)
