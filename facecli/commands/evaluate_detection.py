"""`facecli evaluate-detection`: how well faces are found on pictures of which it is known where they are."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from facecli.cli import options, values
from facecli.cli.settings import Settings
from facecli.evaluation.labelled import _Found
from facecli.output.detection_evaluations import _document, _rows

LOW = 0.02  # --score-threshold, where nobody gives one
PARAMETER = "score_threshold"  # what detectors call the least score of a face


@click.command()
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder of the pictures.",
)
@click.option(
    "--ground-truth",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    metavar="FILE",
    help="JSON: picture -> boxes_xywh and the indices easy, medium, hard; see docs/detectors.md.",
)
@click.option(
    "--score-threshold",
    type=values.Finite(0, 1, min_open=True),
    help="Least score of a face; average precision wants the doubtful ones too.  [default: 0.02]",
)
@options.detector_options
@options.limit_options
@options.run_options
@options.output_options
def command(root: Path, ground_truth: Path, score_threshold: float | None, **kwargs: Any) -> int:
    """Measure a detector's average precision, as WIDER FACE does.

    Precision, recall and F1 are told at the detector's own score threshold, unless only higher scores were asked for,
    and at the one that is best for these pictures.
    """
    start = time.perf_counter()
    settings = Settings(**kwargs)

    from facecli.cli import context, wiring
    from facecli.contract import DetectorPlugin
    from facecli.errors import UsageError
    from facecli.evaluation import ground_truth as truth

    output = context.open_output(settings)
    with output.opened():
        pictures = truth.read(ground_truth)
        plugin = context.registry().load("detectors", settings.detector or "", DetectorPlugin)
        own = plugin.parameters.get(PARAMETER)
        own = own if isinstance(own, float) else None  # a plugin may call something else so
        if own is not None:
            settings = _cut(settings, plugin.name, score_threshold)
        elif score_threshold is not None:
            known = ", ".join(plugin.parameters) or "none"
            message = f"{plugin.name} has no least score of a face"
            raise UsageError(message, hint=f"leave --score-threshold out; its parameters are {known}")
        tools = wiring.open_toolbox(settings, inputs=len(pictures))
        assert tools.detector_plugin is not None
        if own is not None and tools.parameters(tools.detector_plugin)[PARAMETER] > own:
            own = None  # what has a score between the two was never seen: nothing can be said of the own threshold
        pipeline = wiring.open_pipeline(tools, settings, inputs=len(pictures), need_face=False)
        found = _Found(pipeline, root, pictures, settings)
        document = _document(tools, pictures, found, own)
        document["seconds"] = round(time.perf_counter() - start, 4)
    output.document(document, _rows(document))
    return 1 if found.failed else 0


def _cut(settings: Settings, plugin: str, least: float | None) -> Settings:
    """The settings with the least score as the detector's parameter, where the user has not given it as one."""
    from facecli.cli import values
    from facecli.errors import UsageError

    name = f"{plugin}.{PARAMETER}"
    given = values.parse_parameters(settings.parameter).get(plugin, {})
    if PARAMETER not in given:
        return replace(settings, parameter=(*settings.parameter, f"{name}={LOW if least is None else least}"))
    if least is not None and given[PARAMETER] != least:
        message = (
            f"--score-threshold is {least:g} and -p {name} is {given[PARAMETER]}: both are the least score of a face"
        )
        raise UsageError(message, hint="give one of them")
    return settings
