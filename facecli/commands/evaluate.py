"""`facecli evaluate`: how well faces are recognised on pairs of which the truth is known."""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from facecli.commands import _options as options

if TYPE_CHECKING:
    from facecli.commands._pairs import Faces
    from facecli.compare import Decision
    from facecli.evaluation import Evaluation, Rate
    from facecli.toolbox import Toolbox


@click.command()
@click.argument("pairs", type=click.File("r", encoding="utf-8-sig", errors="surrogateescape"), metavar="PAIRS.csv")
@click.option(
    "--root", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".", help="Folder of the pictures."
)
@click.option(
    "--roc",
    "roc_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT",
    help="Draw the ROC curve (.png, .svg, .pdf), or write its points (.csv).",
)
@options.recognizer_options
@options.decision_options
@options.detector_options
@options.preset_option
@options.no_detect_option
@options.face_option("center")
@options.limit_options
@options.run_options
@options.output_options
def command(
    pairs: IO[str],
    root: Path,
    roc_path: Path | None,
    metric: Any,
    threshold: float | None,
    fmr: float | None,
    operating_point: str | None,
    **kwargs: Any,
) -> int:
    """Measure accuracy and error rates on labelled pairs.

    PAIRS is a CSV file with the columns file_a,file_b,same (1 or 0). Pictures of such data sets are centred on the
    person meant, hence --face center. With --face all, the closest pair of faces decides. A picture that gives no face
    counts as a failure to acquire, and its pairs as not recognised.
    """
    start = time.perf_counter()
    settings = options.Settings(**kwargs)

    from facecli import pairs as pair_list
    from facecli.commands import _decision, _pairs, _preset, _work

    settings = _preset.applied(settings, "detector", "recognizer")
    output = _work.open_output(settings)
    with output.opened():
        listed = pair_list.read(pair_list.lines_of(pairs, pairs.name), pairs.name)
        names = list(dict.fromkeys(name for pair in listed for name in (pair.a, pair.b)))
        tools = _work.open_toolbox(settings, inputs=len(names))

        from facecli import evaluation, files, roc

        assert tools.recognizer_plugin is not None
        wish = _decision.Wish(metric, threshold, fmr, operating_point, settings.preset)
        rule = _decision.rule(tools, tools.recognizer_plugin, wish)
        if roc_path is not None:
            roc.check(roc_path)
            files.refuse_inputs(roc_path, (pairs.name, *(root / name for name in names)), "--roc")
            files.check_writable(roc_path)
        pipeline = _work.open_pipeline(tools, settings, inputs=len(names))
        faces = _pairs.Faces(pipeline, root, names, settings)
        distances, same = _pairs.compared(listed, faces.embeddings, rule.metric)
        result = evaluation.evaluate(distances, same, rule.threshold)
        document = _document(tools, settings, rule, faces, result)
        if roc_path is not None:
            roc.write(roc_path, result, f"{tools.recognizer_plugin.name}, {len(listed)} pairs, {rule.metric} distance")
        document["seconds"] = round(time.perf_counter() - start, 4)
    output.document(document, _rows(document))
    return 1 if faces.failed else 0


def _document(
    tools: Toolbox, settings: options.Settings, rule: Decision, faces: Faces, result: Evaluation
) -> dict[str, Any]:
    from facecli import records
    from facecli.commands import _preset
    from facecli.commands._pairs import DIGITS, rate

    recognizer = records.described(tools, tools.recognizer_plugin)
    assert recognizer is not None and tools.recognizer_plugin is not None
    recognizer["preprocessing_version"] = tools.recognizer_plugin.preprocessing_version
    failures = [{"source": failed.source, "error": records.error(failed.error)} for failed in faces.failed]
    pictures = len(faces.embeddings) + len(failures)
    folds = result.cross_validation
    return records.header(
        "evaluate",
        **_preset.named(settings),
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
