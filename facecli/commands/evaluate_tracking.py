"""`facecli evaluate-tracking`: measures tracks on a film whose true boxes are listed."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options, values
from facecli.cli.settings import OutputSettings, gathered

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@manual.command(examples=("evaluate-tracking truth.txt tracks.txt", "evaluate-tracking truth.txt tracks.txt --iou 0.7"))
@click.argument("truth", type=FILE)
@click.argument("tracks", type=FILE)
@click.option(
    "--iou", type=values.Finite(0, 1, min_open=True), default=0.5, help="Overlap of a box that counts as found."
)
@options.output_options
@gathered
def command(output: OutputSettings, truth: Path, tracks: Path, iou: float) -> None:
    """Measure tracks: MOTA and MOTP, IDF1, HOTA.

    TRUTH and TRACKS are MOTChallenge text: frame, id, left, top, width, height, score. `facecli track --mot` writes it.
    """
    from facecli.cli import context
    from facecli.evaluation.tracking import boxes
    from facecli.evaluation.tracking.clear import clear
    from facecli.evaluation.tracking.hota import hota
    from facecli.evaluation.tracking.identity import identity
    from facecli.output import tracking_evaluations

    sink = context.open_sink(output)
    with sink.opened():
        compared = boxes.compare(boxes.read(truth), boxes.read(tracks), iou)
        figures = clear(compared, iou), identity(compared, iou), hota(compared)
        document = tracking_evaluations.document(compared, iou, *figures)
    row = tracking_evaluations.row(document)
    table = [{"figure": name, "value": value} for name, value in row.items()]
    sink.document(document, [row], table=table)
