"""The evaluation of a detector on labelled pictures, for each subset of the true faces (WIDER FACE has three)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facecli.evaluation.average_precision import JudgedDetections, ThresholdPoint, curve, judge
from facecli.evaluation.ground_truth import TrueFaces
from facecli.evaluation.labelled import LabelledDetections
from facecli.pipeline.results import ImageResult
from facecli.types import Detections

Size = tuple[float, float]  # width and height, px


@dataclass(frozen=True, slots=True)
class SubsetEvaluation:
    """The figures of a detector on one subset.

    faces: the number of faces to find. at_default: the point at the detector's own score threshold; None if it has
    none, or if detections were only asked for above a higher one. at_best: the point of the largest F1; None without
    detections. smallest, largest: the sizes of the faces of least and most area that were found at the detector's own
    threshold, or at any score if that is None; None if no face was found.
    """

    faces: int
    average_precision: float
    at_default: ThresholdPoint | None
    at_best: ThresholdPoint | None
    smallest: Size | None
    largest: Size | None


@dataclass(frozen=True, slots=True, eq=False)
class DetectionEvaluation:
    """The evaluation of a detector.

    pictures: the number of labelled pictures. detections: the number of faces that the detector found in them.
    failures: the results of pictures that could not be read or analysed; their faces are not found. milliseconds: time
    of the detector per picture. subsets: name -> figures.
    """

    pictures: int
    detections: int
    failures: tuple[ImageResult, ...]
    milliseconds: float
    subsets: Mapping[str, SubsetEvaluation]


def evaluate(
    truth: Mapping[str, TrueFaces], labelled: LabelledDetections, threshold: float | None, seconds: float
) -> DetectionEvaluation:
    """Return the evaluation of a detector.

    truth: picture's name -> its true faces, at least one picture; all have the same subsets. labelled: the detections
    in these pictures. threshold: the detector's own score threshold, or None. seconds: time of the detector on all
    pictures.
    """
    detections = labelled.detections
    subsets = next(iter(truth.values())).subsets
    return DetectionEvaluation(
        len(truth),
        sum(map(len, detections.values())),
        labelled.failures,
        seconds * 1e3 / len(truth),
        {subset: _evaluate_subset(subset, truth, detections, threshold) for subset in subsets},
    )


def _evaluate_subset(
    subset: str, truth: Mapping[str, TrueFaces], detections: Mapping[str, Detections], threshold: float | None
) -> SubsetEvaluation:
    pictures: list[JudgedDetections] = []
    sizes: list[Size] = []
    for name, faces in truth.items():
        if name not in detections:
            continue
        boxes, scores = (array.astype(np.float64) for array in (detections[name].bboxes, detections[name].scores))
        judged = judge(boxes, scores, faces.boxes, faces.subsets[subset])
        hits = (judged.face >= 0) & (judged.scores >= (threshold or 0))
        sizes += [(width, height) for width, height in faces.boxes[judged.face[hits], 2:].tolist()]
        pictures.append(judged)
    whole = curve(pictures, sum(len(faces.subsets[subset]) for faces in truth.values()))
    sizes.sort(key=math.prod)
    return SubsetEvaluation(
        whole.faces,
        whole.average_precision(),
        None if threshold is None else whole.at(threshold),
        whole.best(),
        sizes[0] if sizes else None,
        sizes[-1] if sizes else None,
    )
