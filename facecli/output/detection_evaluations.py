"""The evaluation of a detector for people and programs: the document of `evaluate-detection` and its table rows."""

from __future__ import annotations

from facecli.errors import Wording, keyword
from facecli.evaluation.average_precision import ThresholdPoint
from facecli.evaluation.detection import DetectionEvaluation, Size, SubsetEvaluation
from facecli.hosting.toolbox import Toolbox
from facecli.output import records
from facecli.output.evaluations import failures
from facecli.output.records import Record

DIGITS = 6  # of precision, recall, F1 and thresholds
FIGURES = ("threshold", "precision", "recall", "f1")


def document(evaluation: DetectionEvaluation, tools: Toolbox, wording: Wording = keyword) -> Record:
    """Return the document of an evaluation, without the time that it took in all.

    tools: the detector that was evaluated. wording: gives the spelling of settings in the errors of pictures.
    """
    return records.header(
        "evaluate-detection",
        detector=records.described(tools, tools.detector_plugin),
        pictures=evaluation.pictures,
        failures=failures(evaluation.failures, wording),
        detections=evaluation.detections,
        ms_per_picture=round(evaluation.milliseconds, 3),
        subsets={name: _subset(subset) for name, subset in evaluation.subsets.items()},
    )


def rows(document: Record) -> list[Record]:
    """Return the rows of a table or CSV for a document of this module, one per subset."""
    table = []
    for name, subset in document["subsets"].items():
        row = {"subset": name, "faces": subset["faces"], "AP": subset["average_precision"]}
        for label, key in (("default", "at_default"), ("best", "at_best")):
            point = subset[key] or {}
            row |= {f"{label} {figure}": point.get(figure) for figure in FIGURES}
        for end in ("smallest", "largest"):
            size = subset[f"{end}_found"]
            row[f"{end} found"] = size and f"{size[0]:.0f}x{size[1]:.0f}"
        table.append(row | {"ms per picture": document["ms_per_picture"]})
    return table


def _subset(subset: SubsetEvaluation) -> Record:
    return {
        "faces": subset.faces,
        "average_precision": round(subset.average_precision, DIGITS),
        "at_default": _point(subset.at_default),
        "at_best": _point(subset.at_best),
        "smallest_found": _size(subset.smallest),
        "largest_found": _size(subset.largest),
    }


def _point(point: ThresholdPoint | None) -> Record | None:
    if point is None:
        return None
    figures = {figure: getattr(point, figure) for figure in FIGURES}
    return {figure: None if value is None else round(value, DIGITS) for figure, value in figures.items()}


def _size(size: Size | None) -> list[float] | None:
    return None if size is None else list(size)
