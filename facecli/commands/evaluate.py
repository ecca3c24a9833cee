"""`facecli evaluate`: measures the error rates of a recognizer on labelled pairs of pictures."""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from facecli.cli import options
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathered

if TYPE_CHECKING:
    from facecli.contract import Metric


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
@gathered
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    pairs: IO[str],
    root: Path,
    roc_path: Path | None,
    metric: Metric | None,
    threshold: float | None,
    fmr: float | None,
    operating_point: str | None,
) -> int:
    """Measure accuracy and error rates on labelled pairs.

    PAIRS is a CSV file with the columns file_a,file_b,same (1 or 0). Pictures of such data sets are centred on the
    person meant, hence --face center. With --face all, the closest pair of faces decides. A picture that gives no face
    counts as a failure to acquire, and its pairs as not recognised.
    """
    start = time.perf_counter()

    from facecli.api.selection import Request
    from facecli.cli import context, progress, wiring
    from facecli.cli.wording import option
    from facecli.evaluation.pairs import pictures_of, read_stream

    sink = context.open_sink(output)
    with sink.opened():
        labelled_pairs = read_stream(pairs, pairs.name)
        names = pictures_of(labelled_pairs)
        faces = wiring.open_faces(plugins, running, reading, inputs=len(names))
        request = Request(embed=True)
        tools = faces.engine.tools(request)

        # Imported while the models load in their threads.
        from facecli.evaluation import labelled, roc
        from facecli.matching.rules import DecisionRequest, rule_for
        from facecli.output import evaluations, overwriting
        from facecli.system import files

        plugin = tools.recognizer_plugin
        assert plugin is not None
        rule = rule_for(tools, plugin, DecisionRequest(metric, threshold, fmr, operating_point, plugins.preset))
        if roc_path is not None:
            roc.check(roc_path)
            overwriting.refuse_inputs(roc_path, (pairs.name, *(root / name for name in names)), "roc")
            files.check_writable(roc_path)
        flow = faces.engine.flow(request, plugins.face)
        pictures = faces.engine.stream(request, labelled.sources_of(root, names), flow)
        reported = progress.reporting_errors(pictures, output, len(names))
        labelled_faces = labelled.collect_faces(names, (picture.result for picture in reported))
        evaluation = labelled.evaluate_pairs(labelled_pairs, labelled_faces, rule, plugins.face)
        document = evaluations.document(evaluation, tools, option, plugins.named_preset)
        if roc_path is not None:
            title = f"{plugin.name}, {len(labelled_pairs)} pairs, {rule.metric} distance"
            roc.write(roc_path, evaluation.rates, title)
        document["seconds"] = round(time.perf_counter() - start, 4)
    sink.document(document, evaluations.rows(document))
    return 1 if labelled_faces.failures else 0
