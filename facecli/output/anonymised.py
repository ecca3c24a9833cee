"""Anonymised files as records, and the rows of a table."""

from __future__ import annotations

from facecli.anonymise.proof import Witness
from facecli.anonymise.result import Anonymised
from facecli.errors import Wording, keyword
from facecli.output.records import SCORE_DIGITS, Record, error

CSV_COLUMNS = ("source", "output", "kind", "width", "height", "frames", "faces", "covered", "left_out", "warning")


def record(one: Anonymised, wording: Wording = keyword) -> Record:
    """Return one file as a record. wording: spelling of settings in an error."""
    return {
        "source": one.source,
        "output": None if one.output is None else str(one.output),
        "kind": one.kind,
        "width": one.width,
        "height": one.height,
        "frames": one.length,
        "faces": one.faces,
        "covered": one.covered,
        "left_out": list(one.left_out),
        "check": None if one.witnesses is None else [_witness(own) for own in one.witnesses],
        "warning": one.warning,
        "error": error(one.error, wording),
    }


def csv_rows(record: Record) -> list[Record]:
    """Return the row of a file in a CSV."""
    row = {column: record[column] for column in CSV_COLUMNS}
    return [row | {"left_out": ", ".join(record["left_out"])}]


def table_rows(record: Record) -> list[Record]:
    """Return the row of a file in a table; none for one that failed, which is told elsewhere."""
    if record["error"] is not None:
        return []
    shown = {key: record[key] for key in ("source", "output", "faces", "covered")}
    return [shown | {"left out": ", ".join(record["left_out"]) or "-"}]


def _witness(one: Witness) -> Record:
    return {
        "recognizer": one.recognizer,
        "metric": one.metric,
        "threshold": round(one.threshold, SCORE_DIGITS),
        "distance": round(one.distance, SCORE_DIGITS),
        "faces": one.faces,
        "recognised": one.recognised,
    }
