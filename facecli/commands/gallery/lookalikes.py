"""`facecli gallery lookalikes`: people who are near to each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import manual, options
from facecli.cli.settings import OutputSettings, gathered

if TYPE_CHECKING:
    from facecli.gallery.index import Index
    from facecli.gallery.rule import Rule
    from facecli.gallery.store.store import GalleryStore


@manual.command(examples=("gallery lookalikes", "gallery lookalikes --top 50 --format csv"))
@options.gallery_option
@click.option("--top", type=click.IntRange(1, 100_000), metavar="N", default=10, help="Pairs to list.")
@options.output_options
@gathered
def command(output: OutputSettings, gallery: Path | None, top: int) -> None:
    """List the pairs of people who are nearest to each other.

    They are relatives, or one person under two names: `facecli gallery merge` makes one of them. Pairs within the
    threshold of `facecli identify` may be taken for each other. It is told with the pairs, if the gallery has one, and
    so is the margin: nobody is named where a second person is within the threshold, too, and no further away than that.
    """
    from facecli.cli import context, galleries
    from facecli.gallery.lookalikes import lookalikes
    from facecli.gallery.store import cache
    from facecli.output import galleries as shown

    sink = context.open_sink(output)
    with sink.opened():
        store = galleries.open_store(gallery)
        index = cache.open_index(store)
        decided = _rule(store, index)
        document = shown.lookalikes(store, lookalikes(index, top), decided)
        store.close()
    rule = None if decided is None else f"{decided.threshold:.3f}, margin {decided.margin:.3f}"
    title = None if rule is None else f"threshold of identify: {rule}"
    sink.document(document, document["pairs"], title=title)


def _rule(store: GalleryStore, index: Index) -> Rule | None:
    """Return the rule by which `identify` decides without options, None where there is none."""
    from facecli.cli import context
    from facecli.contract import RecognizerPlugin
    from facecli.errors import FacecliError
    from facecli.gallery.rule import Wish, rule_for
    from facecli.matching.operating_points import OperatingPointStore

    space = store.space
    if space is None or not len(index.people):
        return None
    try:
        plugin = context.registry().load("recognizers", space.recognizer, RecognizerPlugin)
        points = OperatingPointStore(context.open_store().root).matching(space.identity)
        return rule_for(Wish(), index, plugin, points, store.points())
    except FacecliError:  # the recognizer is not here, or the gallery is too small for it
        return None
