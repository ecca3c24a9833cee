"""`facecli gallery import`: faces of another gallery."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery import people.npz", "gallery import people.npz --gallery new.db --json"))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.gallery_option
@options.output_options
@gathered
def command(output: OutputSettings, file: Path, gallery: Path | None) -> int:
    """Add the people and faces of FILE, which `facecli gallery export` wrote. What is known already stays as it is.

    The embeddings must be of the gallery's recognizer and detector; a gallery that does not exist is made.
    """
    from facecli.cli import context, galleries, progress
    from facecli.cli.wording import option
    from facecli.gallery.store import exchange, exchange_files
    from facecli.gallery.store.store import GalleryStore
    from facecli.output import galleries as shown
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        with exchange_files.opened(file) as contents:
            store = GalleryStore(galleries.gallery_path(gallery), create=True)
            done = exchange.add(store, contents)
        for source, error in done.rejected:
            progress.report_error(source, error)
        rejected = [{"source": source, "error": records.error(error, option)} for source, error in done.rejected]
        parts = {"added": done.added, "known": done.known, "rejected": rejected}
        document = records.header("gallery.import", gallery=shown.gallery(store), **parts)
        store.close()
    sink.document(document, [{"added": done.added, "known": done.known, "rejected": len(rejected)}])
    return 1 if rejected else 0
