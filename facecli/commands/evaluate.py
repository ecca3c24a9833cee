"""`facecli evaluate`: how well faces are recognised on pairs of which the truth is known."""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO, Any

import click

from facecli.cli import options
from facecli.cli.settings import Settings
from facecli.output.evaluations import _document, _rows


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
    settings = Settings(**kwargs)

    from facecli.cli import context, preset, wiring
    from facecli.evaluation import labelled
    from facecli.evaluation import pairs as pair_list
    from facecli.matching import rules

    settings = preset.applied(settings, "detector", "recognizer")
    output = context.open_output(settings)
    with output.opened():
        listed = pair_list.read(pair_list.lines_of(pairs, pairs.name), pairs.name)
        names = list(dict.fromkeys(name for pair in listed for name in (pair.a, pair.b)))
        tools = wiring.open_toolbox(settings, inputs=len(names))

        from facecli.evaluation import recognition, roc
        from facecli.output import overwriting
        from facecli.system import files

        assert tools.recognizer_plugin is not None
        wish = rules.Wish(metric, threshold, fmr, operating_point, settings.preset)
        rule = rules.rule(tools, tools.recognizer_plugin, wish)
        if roc_path is not None:
            roc.check(roc_path)
            overwriting.refuse_inputs(roc_path, (pairs.name, *(root / name for name in names)), "roc")
            files.check_writable(roc_path)
        pipeline = wiring.open_pipeline(tools, settings, inputs=len(names))
        faces = labelled.Faces(pipeline, root, names, settings)
        distances, same = labelled.compared(listed, faces.embeddings, rule.metric)
        result = recognition.evaluate(distances, same, rule.threshold)
        document = _document(tools, settings, rule, faces, result)
        if roc_path is not None:
            roc.write(roc_path, result, f"{tools.recognizer_plugin.name}, {len(listed)} pairs, {rule.metric} distance")
        document["seconds"] = round(time.perf_counter() - start, 4)
    output.document(document, _rows(document))
    return 1 if faces.failed else 0
