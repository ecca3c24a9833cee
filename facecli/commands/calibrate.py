"""`facecli calibrate`: a threshold of one's own, measured on one's own pictures."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from facecli.cli import options, values
from facecli.cli.settings import Settings
from facecli.evaluation.calibration import _calibrated
from facecli.matching.operating_points import _refuse_another
from facecli.output.calibrations import _document, _listed, _listed_row, _rows

if TYPE_CHECKING:
    from facecli.evaluation.calibration import Calibration
    from facecli.matching.operating_points import Shelf


@click.command()
@click.argument(
    "pairs", required=False, type=click.File("r", encoding="utf-8-sig", errors="surrogateescape"), metavar="[PAIRS.csv]"
)
@click.option(
    "--root", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".", help="Folder of the pictures."
)
@click.option(
    "--fmr",
    type=values.Finite(0, 0.5, min_open=True),
    default=1e-3,
    metavar="RATE",
    help="The false match rate to keep: 0.001 lets one in a thousand other people pass.",
)
@click.option("--name", metavar="NAME", help="What to call it.  [default: RECOGNIZER@RATE]")
@click.option("--list", "listing", is_flag=True, help="List your operating points instead.")
@click.option("--remove", metavar="NAME", help="Forget the operating point of this name instead.")
@options.recognizer_options
@options.metric_option
@options.detector_options
@options.preset_option
@options.no_detect_option
@options.face_option("center")
@options.limit_options
@options.run_options
@options.output_options
def command(
    pairs: IO[str] | None,
    root: Path,
    fmr: float,
    name: str | None,
    listing: bool,
    remove: str | None,
    metric: Any,
    **kwargs: Any,
) -> int:
    """Measure and keep your own threshold.

    PAIRS is a CSV file with the columns file_a,file_b,same (1 or 0), as for evaluate. The largest distance in them at
    which the false match rate is at most --fmr is kept, and from then on `verify` and `evaluate` use it with the same
    recognizer, model file, parameters and detector. A rate takes 3 / RATE pairs of different people at least.
    """
    settings = Settings(**kwargs)
    if (pairs is not None) + listing + (remove is not None) != 1:
        raise click.UsageError("give PAIRS.csv, --list or --remove")

    from facecli.cli import context, preset
    from facecli.matching import operating_points

    settings = preset.applied(settings, "detector", "recognizer")
    output = context.open_output(settings)
    with output.opened():
        shelf = operating_points.Shelf(context.open_store().root)
        if pairs is None:
            if remove is not None:
                shelf.remove(remove)
            document = _listed(shelf, remove)
            rows = [_listed_row(own) for own in document["operating_points"]]
            failed = False
        else:
            name = name or f"{settings.recognizer}@{fmr:g}".replace("/", "-")
            shelf.path(name)
            document, failed = _calibrate(pairs, root, fmr, name, metric, settings, shelf)
            rows = _rows(document)
    output.document(document, rows)
    return 1 if failed else 0


def _calibrate(
    pairs: IO[str], root: Path, fmr: float, name: str, metric: Any, settings: Settings, shelf: Shelf
) -> tuple[dict[str, Any], bool]:
    """Do the work and keep its result; whether a picture failed."""
    import numpy as np

    from facecli.cli import preset, wiring
    from facecli.contract.operating_point import METRICS
    from facecli.evaluation import calibration, labelled
    from facecli.evaluation import pairs as pair_list

    listed = pair_list.read(pair_list.lines_of(pairs, pairs.name), pairs.name)
    calibration.check_enough(sum(not pair.same for pair in listed), fmr)  # told before any work
    names = list(dict.fromkeys(file for pair in listed for file in (pair.a, pair.b)))
    tools = wiring.open_toolbox(settings, inputs=len(names))
    assert tools.recognizer_plugin is not None
    _refuse_another(shelf, name, tools.identity(tools.recognizer_plugin))
    metric = metric or preset.metric(settings) or tools.recognizer_plugin.operating_point.metric
    faces = labelled.Faces(wiring.open_pipeline(tools, settings, inputs=len(names)), root, names, settings)
    found: dict[str, Calibration] = {}
    for own in METRICS:
        distances, same = labelled.compared(listed, faces.embeddings, own)
        compared = ~np.isnan(distances)
        found[own] = calibration.calibrate(distances[compared & same], distances[compared & ~same], fmr)
    kept = _calibrated(tools, settings, name, metric, found, pairs.name, len(faces.failed))
    path = shelf.save(kept)
    document = _document(tools, kept, found[metric], faces, path) | preset.named(settings)
    return document, bool(faces.failed)
