"""`facecli calibrate`: a threshold of one's own, measured on one's own pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from facecli.commands import _options as options
from facecli.errors import UsageError

if TYPE_CHECKING:
    from facecli.calibration import Calibration
    from facecli.commands._pairs import Faces
    from facecli.operating_points import Calibrated, Shelf
    from facecli.toolbox import Toolbox


@click.command()
@click.argument(
    "pairs", required=False, type=click.File("r", encoding="utf-8-sig", errors="surrogateescape"), metavar="[PAIRS.csv]"
)
@click.option(
    "--root", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".", help="Folder of the pictures."
)
@click.option(
    "--fmr",
    type=options.Finite(0, 0.5, min_open=True),
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
    settings = options.Settings(**kwargs)
    if (pairs is not None) + listing + (remove is not None) != 1:
        raise click.UsageError("give PAIRS.csv, --list or --remove")

    from facecli import operating_points
    from facecli.commands import _preset, _work

    settings = _preset.applied(settings, "detector", "recognizer")
    output = _work.open_output(settings)
    with output.opened():
        shelf = operating_points.Shelf(_work.open_store().root)
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
    pairs: IO[str], root: Path, fmr: float, name: str, metric: Any, settings: options.Settings, shelf: Shelf
) -> tuple[dict[str, Any], bool]:
    """Do the work and keep its result; whether a picture failed."""
    import numpy as np

    from facecli import calibration
    from facecli import pairs as pair_list
    from facecli.commands import _pairs, _preset, _work
    from facecli.compare import METRICS

    listed = pair_list.read(pair_list.lines_of(pairs, pairs.name), pairs.name)
    calibration.check_enough(sum(not pair.same for pair in listed), fmr)  # told before any work
    names = list(dict.fromkeys(file for pair in listed for file in (pair.a, pair.b)))
    tools = _work.open_toolbox(settings, inputs=len(names))
    assert tools.recognizer_plugin is not None
    _refuse_another(shelf, name, tools.identity(tools.recognizer_plugin))
    metric = metric or _preset.metric(settings) or tools.recognizer_plugin.operating_point.metric
    faces = _pairs.Faces(_work.open_pipeline(tools, settings, inputs=len(names)), root, names, settings)
    found: dict[str, Calibration] = {}
    for own in METRICS:
        distances, same = _pairs.compared(listed, faces.embeddings, own)
        compared = ~np.isnan(distances)
        found[own] = calibration.calibrate(distances[compared & same], distances[compared & ~same], fmr)
    kept = _calibrated(tools, settings, name, metric, found, pairs.name, len(faces.failed))
    path = shelf.save(kept)
    document = _document(tools, kept, found[metric], faces, path) | _preset.named(settings)
    return document, bool(faces.failed)


def _refuse_another(shelf: Shelf, name: str, identity: Mapping[str, Any]) -> None:
    """A name that holds for another recognizer, detector or parameters is not given away."""
    for own in shelf.all():
        if own.name == name and own.identity != identity:
            message = f"the operating point {name} is of another recognizer, detector or parameters"
            raise UsageError(message, hint=f"choose another --name, or facecli calibrate --remove {name}")


def _calibrated(
    tools: Toolbox,
    settings: options.Settings,
    name: str,
    metric: Any,
    found: dict[str, Calibration],
    pairs: str,
    failed: int,
) -> Calibrated:
    from datetime import UTC, datetime

    from facecli.contract import OperatingPoint
    from facecli.operating_points import Calibrated

    assert tools.recognizer_plugin is not None
    best, today = found[metric], datetime.now(UTC)
    mated = best.fnmr.total if best.fnmr else 0
    file = pairs.replace("\\", "/").rpartition("/")[2]
    protocol = f"{file}: {best.fmr.total} non-mated and {mated} mated comparisons, --face {settings.face}"
    low, high = best.fmr.interval
    source = (
        f"your operating point {name} of {today:%Y-%m-%d}, FMR {best.fmr.value:.3g} ({low:.2g} to {high:.2g} at 95 %)"
    )
    point = OperatingPoint(
        metric,
        best.threshold,
        source,
        protocol,
        best.fmr.value,
        best.fnmr.value if best.fnmr else None,
        {own: other.threshold for own, other in found.items() if own != metric},
        ((best.target, best.threshold),),
    )
    evidence = {"pairs": file, "failed_pictures": failed, "note": best.note}
    return Calibrated(name, tools.identity(tools.recognizer_plugin), point, today.isoformat(), evidence)


def _document(tools: Toolbox, kept: Calibrated, best: Calibration, faces: Faces, path: Path) -> dict[str, Any]:
    from facecli import records
    from facecli.commands._pairs import rate

    recognizer = records.described(tools, tools.recognizer_plugin)
    assert recognizer is not None and tools.recognizer_plugin is not None
    recognizer["preprocessing_version"] = tools.recognizer_plugin.preprocessing_version
    return records.header(
        "calibrate",
        name=kept.name,
        path=str(path),
        detector=records.described(tools, tools.detector_plugin),
        recognizer=recognizer,
        metric=kept.point.metric,
        threshold=kept.point.threshold,
        threshold_interval=list(best.interval),  # not rounded, as the threshold is not, which may be one of its ends
        equivalents=dict(kept.point.equivalents),
        target_fmr=best.target,
        fmr=rate(best.fmr),
        fnmr=rate(best.fnmr),
        note=best.note,
        protocol=kept.point.protocol,
        failed_pictures=[{"source": one.source, "error": records.error(one.error)} for one in faces.failed],
    )


def _rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    low, high = document["threshold_interval"]
    rows: list[dict[str, Any]] = [
        {"measure": f"{document['metric']} threshold", "value": document["threshold"], "low": low, "high": high}
    ]
    for name in ("fmr", "fnmr"):
        if told := document[name]:
            low, high = told["interval"]
            counts = {"count": told["count"], "of": told["total"]}
            rows.append({"measure": name.upper(), "value": told["value"], "low": low, "high": high} | counts)
    rows[1]["note"] = document["note"]  # it is about the FMR, which is always there
    rows.append({"measure": "kept as", "note": document["name"]})
    columns = ("measure", "value", "low", "high", "count", "of", "note")
    return [{column: row.get(column) for column in columns} for row in rows]


def _listed(shelf: Shelf, removed: str | None) -> dict[str, Any]:
    from facecli import records

    points = [
        {
            "name": own.name,
            "created": own.created,
            "recognizer": own.identity["recognizer"],
            "detector": own.identity["detector"],
            "parameters": own.identity["parameters"],
            "metric": own.point.metric,
            "threshold": own.point.threshold,
            "fmr": own.point.fmr,
            "fnmr": own.point.fnmr,
            "protocol": own.point.protocol,
            "note": own.evidence["note"],
        }
        for own in shelf.all()
    ]
    return records.header("calibrate.list", operating_points=points, removed=removed)


def _listed_row(own: dict[str, Any]) -> dict[str, Any]:
    columns = ("name", "recognizer", "detector", "metric", "threshold", "fmr", "fnmr")
    return {column: own[column] for column in columns} | {"created": own["created"][:10]}
