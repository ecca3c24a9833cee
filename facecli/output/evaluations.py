"""TODO: facecli.output.evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facecli.cli import settings as settings_module
from facecli.evaluation.recognition import Rate

if TYPE_CHECKING:
    from facecli.evaluation.labelled import Faces
    from facecli.evaluation.recognition import Evaluation
    from facecli.hosting.toolbox import Toolbox
    from facecli.matching.thresholds import Decision


DIGITS = 6


def rate(measured: Rate | None) -> dict[str, Any] | None:
    """A rate as it appears in a document, with its 95 % interval."""
    if measured is None:
        return None
    interval = [round(end, DIGITS) for end in measured.interval]
    value = round(measured.value, DIGITS)
    return {"value": value, "count": measured.count, "total": measured.total, "interval": interval}


def _document(
    tools: Toolbox, settings: settings_module.Settings, rule: Decision, faces: Faces, result: Evaluation
) -> dict[str, Any]:
    from facecli.cli import preset
    from facecli.output import records

    recognizer = records.described(tools, tools.recognizer_plugin)
    assert recognizer is not None and tools.recognizer_plugin is not None
    failures = [{"source": failed.source, "error": records.error(failed.error)} for failed in faces.failed]
    pictures = len(faces.embeddings) + len(failures)
    folds = result.cross_validation
    return records.header(
        "evaluate",
        **preset.named(settings),
        detector=records.described(tools, tools.detector_plugin),
        recognizer=recognizer,
        face=settings.face,
        metric=rule.metric,
        threshold=rule.threshold,
        threshold_source=rule.source,
        pairs={"mated": _total(result.frr), "non_mated": _total(result.far)},
        compared={"mated": _total(result.fnmr), "non_mated": _total(result.fmr)},
        pictures=pictures,
        pictures_with_several_faces=faces.several,
        failures_to_acquire={
            "count": len(failures),
            "rate": round(len(failures) / pictures, DIGITS),
            "pictures": failures,
        },
        **{name: rate(getattr(result, name)) for name in ("accuracy", "fmr", "fnmr", "far", "frr")},
        best_accuracy=rate(result.best_accuracy),
        best_threshold=None if result.useful_threshold is None else round(result.useful_threshold, DIGITS),
        eer=result.roc and round(result.roc.eer, DIGITS),
        at_fmr=[
            {
                "fmr": point.fmr,
                "threshold": point.threshold,
                "false_matches": point.false_matches,
                "match_rate": rate(point.match_rate),
                "note": point.note,
            }
            for point in result.at_fmr
        ],
        cross_validation=folds
        and {"folds": folds.folds, "accuracy": round(folds.accuracy, DIGITS), "std": round(folds.std, DIGITS)},
    )


def _total(rate: Rate | None) -> int:
    return 0 if rate is None else rate.total


def _rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    rule = f"{document['metric']} <= {document['threshold']:.4g}"
    rows = [_row("accuracy", document["accuracy"], rule)]
    best = document["best_threshold"]
    rows.append(_row("best accuracy", document["best_accuracy"], None if best is None else f"at {best:.4g}"))
    if folds := document["cross_validation"]:
        spread = f"std {folds['std']:.4g}, each with the threshold of the others"
        rows.append({"measure": f"{folds['folds']} folds", "value": folds["accuracy"], "note": spread})
    rows += [_row(name.upper(), document[name], rule) for name in ("fmr", "fnmr", "far", "frr")]
    rows.append({"measure": "EER", "value": document["eer"]})
    rows += [_row(f"1-FNMR at FMR {at['fmr']:g}", at["match_rate"], at["note"]) for at in document["at_fmr"]]
    failed = document["failures_to_acquire"]
    rows.append({"measure": "FTA", "value": failed["rate"], "count": failed["count"], "of": document["pictures"]})
    columns = ("measure", "value", "low", "high", "count", "of", "note")
    return [{column: row.get(column) for column in columns} for row in rows]


def _row(measure: str, rate: dict[str, Any] | None, note: str | None) -> dict[str, Any]:
    if rate is None:
        return {"measure": measure, "note": note}
    low, high = rate["interval"]
    numbers = {"value": rate["value"], "low": low, "high": high, "count": rate["count"], "of": rate["total"]}
    return {"measure": measure, "note": note} | numbers
