"""`facecli gallery lookalikes`: people who are near to each other."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery lookalikes", "gallery lookalikes --top 50 --format csv"))
@options.gallery_option
@click.option("--top", type=click.IntRange(1, 100_000), metavar="N", default=10, help="Pairs to list.")
@options.output_options
@gathered
def command(output: OutputSettings, gallery: Path | None, top: int) -> None:
    """List the pairs of people who are nearest to each other.

    They are relatives, or one person under two names: `facecli gallery merge` makes one of them.
    """
    from facecli.cli import context, galleries
    from facecli.gallery.lookalikes import lookalikes
    from facecli.gallery.store import cache
    from facecli.output import galleries as shown
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        store = galleries.open_store(gallery)
        pairs = list(map(shown.pair, lookalikes(cache.open_index(store), top)))
        document = records.header("gallery.lookalikes", gallery=shown.gallery(store), pairs=pairs)
        store.close()
    sink.document(document, pairs)
