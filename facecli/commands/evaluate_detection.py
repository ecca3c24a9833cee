"""`facecli evaluate-detection`: measures a detector on pictures whose true faces are listed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import click

from facecli.cli import manual, options, values
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathered

LOW = 0.02  # the least score of a face without --score-threshold
PARAMETER = "score_threshold"  # the name of this parameter in all detectors that have it


@manual.command(
    examples=(
        "evaluate-detection --root pictures --ground-truth faces.json",
        "evaluate-detection --root pictures --ground-truth faces.json --detector scrfd",
    )
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder of the pictures.",
)
@click.option(
    "--ground-truth",
    "ground_truth_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    metavar="FILE",
    help="JSON: picture -> boxes_xywh and the indices easy, medium, hard.",
)
@click.option(
    "--score-threshold",
    type=values.Finite(0, 1, min_open=True),
    help="Least score of a face; average precision wants the doubtful ones too.  [default: 0.02]",
)
@options.detector_option
@options.sift_options
@options.limit_options
@options.run_options
@options.output_options
@gathered
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    root: Path,
    ground_truth_path: Path,
    score_threshold: float | None,
) -> int:
    """Measure a detector's average precision, as WIDER FACE does.

    Precision, recall and F1 are told at the detector's own score threshold, unless only higher scores were asked for,
    and at the one that is best for these pictures.
    """
    start = time.perf_counter()

    from facecli.api.selection import Request
    from facecli.cli import context, progress, wiring
    from facecli.cli.wording import option
    from facecli.contract import DetectorPlugin
    from facecli.errors import UsageError
    from facecli.evaluation import ground_truth, labelled

    sink = context.open_sink(output)
    with sink.opened():
        truth = ground_truth.read(ground_truth_path)
        labelled.check_present(root, truth, str(ground_truth_path))
        plugin = context.registry().load("detectors", plugins.detector or "", DetectorPlugin)
        default = plugin.parameters.get(PARAMETER)
        threshold = default if isinstance(default, float) else None  # a plugin may call something else so
        if threshold is not None:
            plugins = _with_least_score(plugins, plugin.name, score_threshold)
        elif score_threshold is not None:
            names = ", ".join(plugin.parameters) or "none"
            message = f"{plugin.name} has no least score of a face"
            raise UsageError(message, hint=f"leave --score-threshold out; its parameters are {names}")
        faces = wiring.open_faces(plugins, running, reading, inputs=len(truth))
        request = Request()
        tools = faces.engine.tools(request)
        assert tools.detector_plugin is not None
        if threshold is not None and tools.parameters(tools.detector_plugin)[PARAMETER] > threshold:
            threshold = None  # faces with a score between the two are not detected: no figures at the own threshold

        from facecli.evaluation import detection
        from facecli.output import detection_evaluations
        from facecli.pipeline.flow import Stopwatch

        clock = Stopwatch()
        flow = faces.engine.flow(request, plugins.face)
        pictures = faces.engine.stream(request, labelled.sources_of(root, truth), flow, clock=clock)
        reported = progress.reporting_errors(pictures, output, len(truth))
        detections = labelled.collect_detections(truth, (picture.result for picture in reported))
        seconds = clock.seconds.get("detect", 0.0)
        evaluation = detection.evaluate(truth, detections, threshold, seconds)
        document = detection_evaluations.document(evaluation, tools, option)
        document["seconds"] = round(time.perf_counter() - start, 4)
    sink.document(document, detection_evaluations.rows(document))
    return 1 if evaluation.failures else 0


def _with_least_score(plugins: PluginSettings, plugin: str, least: float | None) -> PluginSettings:
    """Return the settings with the least score as the detector's parameter, unless the user has set this parameter.

    least: that of --score-threshold; None takes LOW. Raises UsageError if the user has given both and they differ.
    """
    from facecli.cli import values
    from facecli.errors import UsageError

    name = f"{plugin}.{PARAMETER}"
    parameters = values.parse_parameters(plugins.parameter).get(plugin, {})
    if PARAMETER not in parameters:
        return replace(plugins, parameter=(*plugins.parameter, f"{name}={LOW if least is None else least}"))
    if least is not None and parameters[PARAMETER] != least:
        message = f"--score-threshold is {least:g} and -p {name} is {parameters[PARAMETER]}"
        raise UsageError(f"{message}: both are the least score of a face", hint="give one of them")
    return plugins
