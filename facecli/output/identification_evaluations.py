"""Open-set identification for people and programs: the document of `evaluate-identification` and its table rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facecli.errors import Wording, keyword
from facecli.evaluation.identification import AtFpir, Identification
from facecli.evaluation.people_rate import PeopleRate
from facecli.output import records
from facecli.output.evaluations import failures
from facecli.output.rates import DIGITS, rate_row
from facecli.output.records import Record
from facecli.pipeline.results import ImageResult

COLUMNS = ("measure", "value", "low", "high", "count", "of", "note")


def document(
    result: Identification, failed: Sequence[ImageResult], parts: Mapping[str, Any], wording: Wording = keyword
) -> Record:
    """Return the document of an evaluation, without the time that it took.

    failed: the pictures that gave no face. parts: detector, recognizer, and the choice of face. wording: gives the
    spelling of settings in the errors of pictures.
    """
    plan = result.plan
    return records.header(
        "evaluate-identification",
        **parts,
        score=plan.score,
        splits=plan.splits,
        enrolled={"people": result.enrolled, "templates": plan.templates},
        mated={"searches": result.mated, "people": result.searchers},
        non_mated={"searches": result.non_mated, "people": result.strangers},
        failures_to_acquire=failures(failed, wording),
        rank_1=_rate(result.rank_one),
        at_fpir=list(map(_at, result.at_fpir)),
        calibrated=list(map(_at, result.calibrated)),
        det=[
            {
                "threshold": round(point.threshold, DIGITS),
                "fpir": round(point.fpir, DIGITS),
                "fnir": round(point.fnir, DIGITS),
            }
            for point in result.det
        ],
    )


def rows(document: Record) -> list[Record]:
    """Return the rows of a table or CSV for a document of this module, one per measure."""
    people, templates = document["enrolled"]["people"], document["enrolled"]["templates"]
    note = f"{people} people, {templates} templates each"
    table = [_row("rank 1", document["rank_1"], note)]
    for at in document["at_fpir"]:
        note = at["note"] or f"distance <= {at['threshold']:.4g}"
        table.append(_row(f"FNIR at FPIR {at['wanted']:g}", at["fnir"], note))
    for at in document["calibrated"]:
        note = at["note"] or "calibrated by the gallery"
        table += [_row(f"{name.upper()}, wanted {at['wanted']:g}", at[name], note) for name in ("fpir", "fnir")]
    table.append({"measure": "FTA", "count": len(document["failures_to_acquire"])})
    return [{column: row.get(column) for column in COLUMNS} for row in table]


def _row(measure: str, rate: Record | None, note: str) -> Record:
    return ({"measure": measure} if rate is None else rate_row(measure, rate)) | {"note": note}


def _at(at: AtFpir) -> Record:
    return {
        "wanted": at.wanted,
        "threshold": None if at.threshold is None else round(at.threshold, DIGITS),
        "fpir": _rate(at.fpir),
        "fnir": _rate(at.fnir),
        "note": at.note,
    }


def _rate(rate: PeopleRate | None) -> Record | None:
    if rate is None:
        return None
    interval = [round(end, DIGITS) for end in rate.interval]
    numbers = {"value": round(rate.value, DIGITS), "count": rate.count, "total": rate.total}
    return numbers | {"people": rate.people, "interval": interval}
