"""TODO: facecli.output.detection_evaluations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from facecli.evaluation.labelled import _Found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facecli.evaluation.detection import AtThreshold
    from facecli.evaluation.ground_truth import TrueFaces
    from facecli.hosting.toolbox import Toolbox


DIGITS = 6


def _document(
    tools: Toolbox, pictures: Mapping[str, TrueFaces], found: _Found, own_threshold: float | None
) -> dict[str, Any]:
    from facecli.output import records

    subsets = next(iter(pictures.values())).subsets
    return records.header(
        "evaluate-detection",
        detector=records.described(tools, tools.detector_plugin),
        pictures=len(pictures),
        failures=[{"source": failed.source, "error": records.error(failed.error)} for failed in found.failed],
        detections=sum(result.faces_found for result in found.results.values()),
        ms_per_picture=round(found.milliseconds, 3),
        subsets={name: _subset(name, pictures, found, own_threshold) for name in subsets},
    )


def _subset(name: str, pictures: Mapping[str, TrueFaces], found: _Found, own_threshold: float | None) -> dict[str, Any]:
    import numpy as np

    from facecli.evaluation import detection as evaluation

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
