"""The evaluation of a recognizer for people and programs: the document of `facecli evaluate` and its table rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facecli.errors import Wording, keyword
from facecli.evaluation.labelled import Lookalikes, PairsEvaluation
from facecli.evaluation.rates import Rate
from facecli.evaluation.recognition import Evaluation
from facecli.hosting.toolbox import Toolbox
from facecli.output import groups, records
from facecli.output.rates import DIGITS, rate, rate_row
from facecli.output.records import Record
from facecli.pipeline.results import ImageResult

RATES = ("accuracy", "fmr", "fnmr", "far", "frr")
COLUMNS = ("measure", "value", "low", "high", "count", "of", "note")


def document(
    evaluation: PairsEvaluation,
    tools: Toolbox,
    wording: Wording = keyword,
    extra: Mapping[str, Any] | None = None,
) -> Record:
    """Return the document of an evaluation, without the time that it took.

    tools: the plugins that were evaluated. wording: gives the spelling of settings in the errors of pictures. extra:
    further parts, such as the name of a preset; they stand first.
    """
    rule, faces, rates = evaluation.rule, evaluation.faces, evaluation.rates
    failed, grouped = failures(faces.failures, wording), evaluation.groups
    pictures = len(faces.embeddings) + len(failed)
    closest = None if evaluation.closest is None else list(map(_lookalikes, evaluation.closest))
    return records.header(
        "evaluate",
        **(extra or {}),
        detector=records.described(tools, tools.detector_plugin),
        recognizer=records.described(tools, tools.recognizer_plugin),
        face=evaluation.face,
        metric=rule.metric,
        threshold=rule.threshold,
        threshold_source=rule.source,
        **records.cohort(rule.cohort),
        pairs={"mated": _total(rates.frr), "non_mated": _total(rates.far)},
        compared={"mated": _total(rates.fnmr), "non_mated": _total(rates.fmr)},
        pictures=pictures,
        pictures_with_several_faces=faces.with_several_faces,
        failures_to_acquire={
            "count": len(failed),
            "rate": round(len(failed) / pictures, DIGITS),
            "pictures": failed,
        },
        **_rates(rates),
        **({} if grouped is None else {"groups": groups.part(grouped)}),
        **({} if closest is None else {"closest": closest}),
    )


def failures(results: Sequence[ImageResult], wording: Wording = keyword) -> list[Record]:
    """Return the failed pictures as documents list them: source and error, its settings spelled by `wording`."""
    return [{"source": result.source, "error": records.error(result.error, wording)} for result in results]


def rows(document: Record) -> list[Record]:
    """Return the rows of a table or CSV for a document of this module, one per measure."""
    table = _of_strangers(document) if "closest" in document else _of_pairs(document)
    failed = document["failures_to_acquire"]
    table.append({"measure": "FTA", "value": failed["rate"], "count": failed["count"], "of": document["pictures"]})
    table += groups.rows(document["groups"]) if "groups" in document else []
    return [{column: row.get(column) for column in COLUMNS} for row in table]


def _of_pairs(document: Record) -> list[Record]:
    rule = _rule(document)
    table = [_row("accuracy", document["accuracy"], rule)]
    best = document["best_threshold"]
    table.append(_row("best accuracy", document["best_accuracy"], None if best is None else f"at {best:.4g}"))
    if folds := document["cross_validation"]:
        spread = f"std {folds['std']:.4g}, each with the threshold of the others"
        table.append({"measure": f"{folds['folds']} folds", "value": folds["accuracy"], "note": spread})
    table += [_row(name.upper(), document[name], rule) for name in ("fmr", "fnmr", "far", "frr")]
    table.append({"measure": "EER", "value": document["eer"]})
    return [*table, *(_row(f"1-FNMR at FMR {at['fmr']:g}", at["match_rate"], at["note"]) for at in document["at_fmr"])]


def _of_strangers(document: Record) -> list[Record]:
    table = [_row(name.upper(), document[name], _rule(document)) for name in ("fmr", "far")]
    for at in document["at_fmr"]:
        counts = {"count": at["false_matches"], "of": document["compared"]["non_mated"]}
        name = f"{document['metric']} at FMR {at['fmr']:g}"
        table.append({"measure": name, "value": at["threshold"], **counts, "note": at["note"]})
    for pair in document["closest"]:
        name, pictures = f"{document['metric']} of the closest", f"{pair['a']} and {pair['b']}"
        table.append({"measure": name, "value": pair["distance"], "note": pictures})
    return table


def _rule(document: Record) -> str:
    return f"{document['metric']} <= {document['threshold']:.4g}"


def _rates(rates: Evaluation) -> dict[str, Any]:
    folds, best = rates.cross_validation, rates.useful_threshold
    return {
        **{name: rate(getattr(rates, name)) for name in RATES},
        "best_accuracy": rate(rates.best_accuracy),
        "best_threshold": None if best is None else round(best, DIGITS),
        "eer": rates.roc and round(rates.roc.eer, DIGITS),
        "at_fmr": [
            {
                "fmr": point.fmr,
                "threshold": point.threshold,
                "false_matches": point.false_matches,
                "match_rate": rate(point.match_rate),
                "note": point.note,
            }
            for point in rates.at_fmr
        ],
        "cross_validation": folds
        and {"folds": folds.folds, "accuracy": round(folds.accuracy, DIGITS), "std": round(folds.std, DIGITS)},
    }


def _lookalikes(pair: Lookalikes) -> Record:
    return {"a": pair.a, "b": pair.b, "distance": round(pair.distance, DIGITS)}


def _total(measured: Rate | None) -> int:
    return 0 if measured is None else measured.total


def _row(measure: str, document: Record | None, note: str | None) -> Record:
    return ({"measure": measure} if document is None else rate_row(measure, document)) | {"note": note}
