"""TODO: facecli.output.calibrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.evaluation.calibration import Calibration
    from facecli.evaluation.labelled import Faces
    from facecli.hosting.toolbox import Toolbox
    from facecli.matching.operating_points import Calibrated, Shelf


def _document(tools: Toolbox, kept: Calibrated, best: Calibration, faces: Faces, path: Path) -> dict[str, Any]:
    from facecli.output import records
    from facecli.output.evaluations import rate

    recognizer = records.described(tools, tools.recognizer_plugin)
    assert recognizer is not None and tools.recognizer_plugin is not None
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
    from facecli.output import records

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
