"""`facecli evaluate-detection`: how well faces are found on pictures of which it is known where they are."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.commands import _options as options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facecli.detection_evaluation import AtThreshold
    from facecli.ground_truth import TrueFaces
    from facecli.pipeline import ImageResult, Pipeline
    from facecli.toolbox import Toolbox

DIGITS = 6
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
    type=options.Finite(0, 1, min_open=True),
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
    settings = options.Settings(**kwargs)

    from facecli import ground_truth as truth
    from facecli.commands import _work
    from facecli.contract import DetectorPlugin
    from facecli.errors import UsageError

    output = _work.open_output(settings)
    with output.opened():
        pictures = truth.read(ground_truth)
        plugin = _work.registry().load("detectors", settings.detector or "", DetectorPlugin)
        own = plugin.parameters.get(PARAMETER)
        own = own if isinstance(own, float) else None  # a plugin may call something else so
        if own is not None:
            settings = _cut(settings, plugin.name, score_threshold)
        elif score_threshold is not None:
            known = ", ".join(plugin.parameters) or "none"
            message = f"{plugin.name} has no least score of a face"
            raise UsageError(message, hint=f"leave --score-threshold out; its parameters are {known}")
        tools = _work.open_toolbox(settings, inputs=len(pictures))
        assert tools.detector_plugin is not None
        if own is not None and tools.parameters(tools.detector_plugin)[PARAMETER] > own:
            own = None  # what has a score between the two was never seen: nothing can be said of the own threshold
        pipeline = _work.open_pipeline(tools, settings, inputs=len(pictures), need_face=False)
        found = _Found(pipeline, root, pictures, settings)
        document = _document(tools, pictures, found, own)
        document["seconds"] = round(time.perf_counter() - start, 4)
    output.document(document, _rows(document))
    return 1 if found.failed else 0


def _cut(settings: options.Settings, plugin: str, least: float | None) -> options.Settings:
    """The settings with the least score as the detector's parameter, where the user has not given it as one."""
    from facecli.commands import _work
    from facecli.errors import UsageError

    name = f"{plugin}.{PARAMETER}"
    given = _work.parse_parameters(settings.parameter).get(plugin, {})
    if PARAMETER not in given:
        return replace(settings, parameter=(*settings.parameter, f"{name}={LOW if least is None else least}"))
    if least is not None and given[PARAMETER] != least:
        message = (
            f"--score-threshold is {least:g} and -p {name} is {given[PARAMETER]}: both are the least score of a face"
        )
        raise UsageError(message, hint="give one of them")
    return settings


class _Found:
    """What the detector found in each picture, and what failed."""

    def __init__(
        self, pipeline: Pipeline, root: Path, pictures: Mapping[str, TrueFaces], settings: options.Settings
    ) -> None:
        from facecli.commands import _work
        from facecli.sources import single

        self.results: dict[str, ImageResult] = {}
        self.failed: list[ImageResult] = []
        results = pipeline.run(single(str(root / name)) for name in pictures)
        for name, result in zip(pictures, _work.told(results, settings, len(pictures)), strict=True):
            if result.error is not None:
                self.failed.append(result)
            self.results[name] = result
        self.milliseconds = pipeline.clock.seconds.get("detect", 0.0) * 1e3 / len(pictures)


def _document(
    tools: Toolbox, pictures: Mapping[str, TrueFaces], found: _Found, own_threshold: float | None
) -> dict[str, Any]:
    from facecli import records

    subsets = next(iter(pictures.values())).subsets
    return records.header(
        "evaluate-detection",
        detector=records.described(tools, tools.detector_plugin),
        pictures=len(pictures),
        failures=[{"source": failed.source, "error": records.error(failed.error)} for failed in found.failed],
        detections=sum(result.found for result in found.results.values()),
        ms_per_picture=round(found.milliseconds, 3),
        subsets={name: _subset(name, pictures, found, own_threshold) for name in subsets},
    )


def _subset(name: str, pictures: Mapping[str, TrueFaces], found: _Found, own_threshold: float | None) -> dict[str, Any]:
    import numpy as np

    from facecli import detection_evaluation as evaluation

    judged: list[evaluation.Judged] = []
    sizes: list[list[float]] = []
    for picture, truth in pictures.items():
        detections = found.results[picture].detections
        if detections is None:
            continue  # the picture failed: its faces are not found
        boxes, scores = detections.bboxes.astype(np.float64), detections.scores.astype(np.float64)
        one = evaluation.judge(boxes, scores, truth.boxes, truth.subsets[name])
        right = (one.face >= 0) & (one.scores >= (own_threshold or 0))
        sizes += truth.boxes[one.face[right], 2:].tolist()
        judged.append(one)
    curve = evaluation.curve(judged, sum(len(truth.subsets[name]) for truth in pictures.values()))
    sizes.sort(key=math.prod)
    return {
        "faces": curve.faces,
        "average_precision": round(curve.average_precision(), DIGITS),
        "at_default": None if own_threshold is None else _at(curve.at(own_threshold)),
        "at_best": _at(curve.best()),
        "smallest_found": sizes[0] if sizes else None,
        "largest_found": sizes[-1] if sizes else None,
    }


def _at(point: AtThreshold | None) -> dict[str, Any] | None:
    if point is None:
        return None
    values = {
        "threshold": point.threshold,
        "precision": point.precision,
        "recall": point.recall,
        "f1": point.f1,
    }
    return {name: None if value is None else round(value, DIGITS) for name, value in values.items()}


def _rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, subset in document["subsets"].items():
        row = {"subset": name, "faces": subset["faces"], "AP": subset["average_precision"]}
        for label, key in (("default", "at_default"), ("best", "at_best")):
            point = subset[key] or {}
            row |= {f"{label} {figure}": point.get(figure) for figure in ("threshold", "precision", "recall", "f1")}
        for end in ("smallest", "largest"):
            size = subset[f"{end}_found"]
            row[f"{end} found"] = size and f"{size[0]:.0f}x{size[1]:.0f}"
        rows.append(row | {"ms per picture": document["ms_per_picture"]})
    return rows
