"""Calibrations for people and programs: the documents of `facecli calibrate` and `calibrate --list`, and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from facecli.errors import Wording, keyword
from facecli.evaluation.calibration import Calibration
from facecli.hosting.toolbox import Toolbox
from facecli.matching.operating_points import UserOperatingPoint
from facecli.output import groups, records
from facecli.output.evaluations import COLUMNS, failures
from facecli.output.rates import rate, rate_row
from facecli.output.records import Record
from facecli.pipeline.results import ImageResult

LIST_COLUMNS = ("name", "recognizer", "detector", "metric", "threshold", "fmr", "fnmr")


def document(
    tools: Toolbox,
    entry: UserOperatingPoint,
    calibration: Calibration,
    failed: Sequence[ImageResult],
    wording: Wording = keyword,
    *,
    path: Path,
) -> Record:
    """Return the document of a new operating point.

    tools: the plugins that it holds for. calibration: the one in the point's metric. failed: the results of pictures
    that gave no face. wording: gives the spelling of settings in their errors. path: the point's file.
    """
    point = entry.point
    return records.header(
        "calibrate",
        name=entry.name,
        path=str(path),
        detector=records.described(tools, tools.detector_plugin),
        recognizer=records.described(tools, tools.recognizer_plugin),
        metric=point.metric,
        threshold=point.threshold,
        **records.cohort(point.cohort),
        threshold_interval=list(calibration.interval),  # not rounded: the threshold, one of its ends, is not either
        equivalents=dict(point.equivalents),
        target_fmr=calibration.target,
        fmr=rate(calibration.fmr),
        fnmr=rate(calibration.fnmr),
        note=calibration.note,
        protocol=point.protocol,
        failed_pictures=failures(failed, wording),
        **({} if calibration.groups is None else {"groups": groups.part(calibration.groups)}),
    )


def rows(document: Record) -> list[Record]:
    """Return the rows of a table or CSV for a document of a new operating point."""
    low, high = document["threshold_interval"]
    threshold = {"measure": f"{document['metric']} threshold", "value": document["threshold"], "low": low, "high": high}
    table = [threshold, rate_row("FMR", document["fmr"]) | {"note": document["note"]}]
    if document["fnmr"]:
        table.append(rate_row("FNMR", document["fnmr"]))
    table += groups.rows(document["groups"]) if "groups" in document else []
    table.append({"measure": "kept as", "note": document["name"]})
    return [{column: row.get(column) for column in COLUMNS} for row in table]


def list_document(entries: Sequence[UserOperatingPoint], removed: str | None) -> Record:
    """Return the document of all operating points. removed: the name of one that has just been deleted, or None."""
    return records.header("calibrate.list", operating_points=[_entry(entry) for entry in entries], removed=removed)


def list_rows(document: Record) -> list[Record]:
    """Return the rows of a table or CSV for a document of all operating points, one each."""
    return [
        {column: point[column] for column in LIST_COLUMNS} | {"created": point["created"][:10]}
        for point in document["operating_points"]
    ]


def _entry(entry: UserOperatingPoint) -> Record:
    point, identity = entry.point, entry.identity
    return {
        "name": entry.name,
        "created": entry.created,
        "recognizer": identity["recognizer"],
        "detector": identity["detector"],
        "parameters": identity["parameters"],
        "metric": point.metric,
        "threshold": point.threshold,
        "fmr": point.fmr,
        "fnmr": point.fnmr,
        "worst_group": point.worst_group,
        "fmr_worst_group": point.fmr_worst_group,
        "protocol": point.protocol,
        "note": entry.evidence["note"],
    }
