"""`facecli gallery calibrate`: thresholds that a gallery measures on its own people."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options, values
from facecli.cli.settings import OutputSettings, gathered


@manual.command(examples=("gallery calibrate", "gallery calibrate --fpir 0.1,0.03,0.01 --json"))
@options.gallery_option
@click.option(
    "--fpir",
    callback=values.numbers,
    default="0.1,0.03,0.01",
    metavar="RATE,...",
    help="Rates of searches for strangers that name somebody.",
)
@options.output_options
@gathered
def command(output: OutputSettings, gallery: Path | None, fpir: tuple[float, ...]) -> None:
    """Measure and keep the thresholds of a gallery, by leaving one person out.

    Each template is searched for among all other people, to whom it is a stranger. A rate takes 3 / RATE templates and
    20 people. The thresholds hold until the gallery changes; `identify` measures by itself where none are kept.
    """
    from facecli.cli import context, galleries
    from facecli.gallery import calibration
    from facecli.gallery.rule import near_rate
    from facecli.gallery.store import cache
    from facecli.output import galleries as shown

    if not all(0 < rate <= 0.5 for rate in fpir):
        raise click.BadParameter("a rate is more than 0 and at most 0.5", param_hint="--fpir")
    sink = context.open_sink(output)
    with sink.opened():
        store = galleries.open_store(gallery)
        # With each rate that of its near misses is kept, which `identify` would otherwise measure anew.
        rates = dict.fromkeys([*fpir, *map(near_rate, fpir)])
        points = calibration.leave_one_out(cache.open_index(store), tuple(rates))
        store.keep_points(points)
        document = shown.calibrated(store, points[: len(set(fpir))])
        store.close()
    sink.document(document, document["points"])
