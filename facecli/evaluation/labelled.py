"""Labelled pictures after the pipeline: their faces and failures, the distances of labelled pairs, and their rates."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facecli.errors import UsageError
from facecli.evaluation.error_curve import Distances
from facecli.evaluation.ground_truth import TrueFaces
from facecli.evaluation.groups import GroupedRates, group_rates
from facecli.evaluation.pairs import Pair
from facecli.evaluation.recognition import Evaluation, Truth, evaluate
from facecli.kinds import PointMetric
from facecli.matching.closest import closest_pair
from facecli.matching.cohort import all_templates
from facecli.matching.thresholds import DecisionRule
from facecli.pictures.sources import Source, single
from facecli.pipeline.results import ImageResult
from facecli.redaction import shortened
from facecli.types import Detections, FloatArray

MOST_NAMES = 3  # that a message lists


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """The embeddings of labelled pictures.

    embeddings: picture's name -> (N, dim) of its chosen faces, N >= 1. failures: the results of pictures that gave no
    embedding. with_several_faces: the number of pictures in which more than one face was found.
    """

    embeddings: Mapping[str, FloatArray]
    failures: tuple[ImageResult, ...]
    with_several_faces: int


@dataclass(frozen=True, slots=True)
class Lookalikes:
    """Two pictures of different people that the recognizer finds alike. distance: in the metric of the evaluation."""

    a: str
    b: str
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class PairsEvaluation:
    """The evaluation of a recognizer on labelled pairs.

    rule: the rule that decided. face: the choice of face in each picture, such as "center" or "all". faces: the
    pictures. rates: the error rates over the pairs. groups: the same within each group of people; None if no groups
    were asked for. closest: of pictures of different people those most alike; None for a list of pairs.
    """

    rule: DecisionRule
    face: str
    faces: LabelledFaces
    rates: Evaluation
    groups: GroupedRates | None = None
    closest: tuple[Lookalikes, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LabelledDetections:
    """The detections of labelled pictures, by the picture's name, and the results of pictures that failed."""

    detections: Mapping[str, Detections]
    failures: tuple[ImageResult, ...]


def check_present(root: Path, names: Iterable[str], listed: str) -> None:
    """Raise UsageError if pictures that are listed are not there, before any work is done.

    A picture that gives no face is a fact about the recognizer and counts in its rates; one that is missing is a slip
    in the list or in the folder. root: the folder that the names are relative to. listed: the name of the list.
    """
    missing = [name for name in names if not os.path.lexists(root / name)]  # a Path raises for a name that is too long
    if missing:
        more = f" and {len(missing) - MOST_NAMES} more" if len(missing) > MOST_NAMES else ""
        shown = ", ".join(shortened(name) for name in missing[:MOST_NAMES])
        message = f"{listed} names pictures that are not in {root}: {shown}{more}"
        raise UsageError(message, hint="name their folder with {root}, or take them off the list", about="root")


def sources_of(root: Path, names: Iterable[str]) -> Iterator[Source]:
    """Yield the source of each picture, named relative to the folder `root`."""
    for name in names:
        path = str(root / name)
        yield single("./-" if path == "-" else path)  # - alone would be stdin


def collect_faces(names: Sequence[str], results: Iterable[ImageResult]) -> LabelledFaces:
    """Return the embeddings of labelled pictures. results: the pipeline's, one for each name and in their order."""
    embeddings: dict[str, FloatArray] = {}
    failures: list[ImageResult] = []
    several = 0
    for name, result in zip(names, results, strict=True):
        several += (result.faces_found or 0) > 1
        if result.error is not None or result.embeddings is None:
            failures.append(result)
        else:
            embeddings[name] = result.embeddings
    return LabelledFaces(embeddings, tuple(failures), several)


def collect_detections(truth: Mapping[str, TrueFaces], results: Iterable[ImageResult]) -> LabelledDetections:
    """Return the detections of labelled pictures.

    truth: picture's name -> its true faces. results: the pipeline's, one for each name and in their order. Raises
    UsageError at the first picture that its true faces do not fit into.
    """
    detections: dict[str, Detections] = {}
    failures: list[ImageResult] = []
    for (name, faces), result in zip(truth.items(), results, strict=True):
        if result.width is not None and result.height is not None:
            faces.check_inside(name, result.width, result.height)
        if result.error is not None:
            failures.append(result)
        if result.detections is not None:
            detections[name] = result.detections
    return LabelledDetections(detections, tuple(failures))


def compare(
    pairs: Sequence[Pair], embeddings: Mapping[str, FloatArray], metric: PointMetric
) -> tuple[Distances, Truth]:
    """Return the distance of each pair, (N,) float64, and whether it shows one person, (N,) bool.

    embeddings: picture's name -> (M, dim) of its faces, or their templates for the metric "cohort"; of several faces
    the closest pair counts. A pair of which a picture has no embedding has the distance NaN.
    """
    distances = np.full(len(pairs), np.nan)
    for index, pair in enumerate(pairs):
        if pair.a in embeddings and pair.b in embeddings:
            distances[index] = closest_pair(embeddings[pair.a], embeddings[pair.b], metric).distance
    return distances, np.array([pair.same for pair in pairs])


def evaluate_pairs(
    pairs: Sequence[Pair], faces: LabelledFaces, rule: DecisionRule, face: str, by: Sequence[str] = ()
) -> PairsEvaluation:
    """Return the evaluation of the recognizer that gave the embeddings of `faces`.

    face: the choice that gave them. by: the columns that made the pairs' groups, if any.
    """
    distances, same = compare(pairs, all_templates(rule.cohort, faces.embeddings), rule.metric)
    names = [pair.group for pair in pairs]
    groups = group_rates(by, names, distances, same, rule.threshold) if by else None
    return PairsEvaluation(rule, face, faces, evaluate(distances, same, rule.threshold), groups)
