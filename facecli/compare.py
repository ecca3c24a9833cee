"""Comparing embeddings: metrics, the threshold that a decision rests on, and which face of a picture is meant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from facecli.contract import Metric, OperatingPoint, RecognizerPlugin
from facecli.errors import AmbiguousFaceError, NoFaceError, UsageError
from facecli.geometry import areas
from facecli.types import Detections, FloatArray

METRICS: tuple[Metric, ...] = get_args(Metric)
FUSED_THRESHOLD = 1.0  # of the mean of distance / threshold
FACE_CHOICES = ("only", "largest", "center", "score", "all")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a comparison rests on: distance <= threshold in `metric` means the same person. source: who says so."""

    metric: Metric
    threshold: float
    source: str
    fmr: float | None = None


def cosine_similarity(a: FloatArray, b: FloatArray) -> NDArray[np.float64]:
    """Row-wise cosine similarity of (N, dim) and (N, dim) embeddings: (N,) in [-1, 1], higher is more alike."""
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(a64, axis=1) * np.linalg.norm(b64, axis=1)
    dot: NDArray[np.float64] = (a64 * b64).sum(1)
    similarity: NDArray[np.float64] = np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 0)
    return similarity.clip(-1.0, 1.0)


def distance(a: FloatArray, b: FloatArray, metric: Metric) -> NDArray[np.float64]:
    """Row-wise distance of (N, dim) and (N, dim) embeddings: (N,), lower is more alike.

    cosine: 1 - similarity. euclidean: L2 of the rows as they are. euclidean_l2: L2 after scaling to length 1.
    angular: the angle divided by pi.
    """
    if metric == "euclidean":
        return np.asarray(np.linalg.norm(a.astype(np.float64) - b.astype(np.float64), axis=1))
    similarity = cosine_similarity(a, b)
    if metric == "cosine":
        return np.asarray(1.0 - similarity)
    if metric == "euclidean_l2":
        return np.asarray(np.sqrt(2.0 * (1.0 - similarity)))
    return np.asarray(np.arccos(similarity) / math.pi)


@dataclass(frozen=True, slots=True)
class Closest:
    """The most alike pair of faces of two pictures: their rows, and how alike they are."""

    rows: tuple[int, int]
    distance: float
    similarity: float


def closest(a: FloatArray, b: FloatArray, metric: Metric) -> Closest:
    """The pair of rows of (N, dim) and (M, dim) embeddings with the smallest distance; N, M >= 1."""
    first, second = np.repeat(a, len(b), axis=0), np.tile(b, (len(a), 1))
    distances = distance(first, second, metric)
    best = int(np.argmin(distances))
    similarity = float(cosine_similarity(first[best : best + 1], second[best : best + 1])[0])
    return Closest((best // len(b), best % len(b)), float(distances[best]), similarity)


@dataclass(frozen=True, slots=True)
class Fused:
    """What several recognizers say of the most alike pair of faces: the pair's rows, and what each says of it.

    score: the mean of their distances, each divided by its threshold; the same person up to FUSED_THRESHOLD.
    """

    rows: tuple[int, int]
    score: float
    parts: tuple[Closest, ...]


def fuse(a: Sequence[FloatArray], b: Sequence[FloatArray], rules: Sequence[Decision]) -> Fused:
    """Join what recognizers say of two pictures' faces: per recognizer (N, dim) and (M, dim), and its rule; N, M >= 1.

    All judge the same pair of faces: that with the smallest score. A threshold of 0 can not be divided by: UsageError.
    """
    if any(rule.threshold <= 0 for rule in rules):
        raise UsageError("recognizers with a threshold of 0 can not be joined", hint="give one --recognizer")
    rows = [(i, j) for i in range(len(a[0])) for j in range(len(b[0]))]
    first, second = (list(column) for column in zip(*rows, strict=True))
    distances = [distance(x[first], y[second], rule.metric) for x, y, rule in zip(a, b, rules, strict=True)]
    scores = np.mean([own / rule.threshold for own, rule in zip(distances, rules, strict=True)], axis=0)
    best = int(np.argmin(scores))
    i, j = rows[best]
    parts = tuple(
        Closest((i, j), float(own[best]), float(cosine_similarity(x[[i]], y[[j]])[0]))
        for own, x, y in zip(distances, a, b, strict=True)
    )
    return Fused((i, j), float(scores[best]), parts)


def decide(
    plugin: RecognizerPlugin,
    metric: Metric | None = None,
    threshold: float | None = None,
    fmr: float | None = None,
    *,
    altered: bool = False,
    own: Sequence[OperatingPoint] = (),
) -> Decision:
    """The decision rule for a recognizer and what the user asked for. Raises UsageError if none is known.

    What counts, in this order: threshold; fmr, among the user's points and then in the catalogue; the first of the
    user's points; the catalogue. own: the user's operating points for this recognizer, run as it is now. altered: it
    runs with parameters of the user's (such as flip) or another project's crop, for which the catalogue's error rates
    were not measured.
    """
    if threshold is not None and fmr is not None:
        raise UsageError("--threshold and --fmr exclude each other", hint="give one of them")
    if threshold is not None:
        if not math.isfinite(threshold):
            raise UsageError("the threshold must be a finite number")
        return Decision(metric or plugin.operating_point.metric, threshold, "given by the user")
    point = next((point for point in own if fmr is None or fmr in dict(point.by_fmr)), None)
    altered = altered and point is None
    point = point or plugin.operating_point
    if fmr is not None and altered:
        raise UsageError(
            f"the rates of {plugin.name} were measured with its default parameters and crop",
            hint="give --threshold, or measure your own with `facecli calibrate`",
        )
    if fmr is not None:
        known = dict(point.by_fmr)
        if fmr not in known:
            every = sorted({rate for some in (*own, point) for rate, _ in some.by_fmr}, reverse=True)
            rates = ", ".join(f"{rate:g}" for rate in every) or "none"
            hint = f"measured: {rates}; `facecli calibrate` measures your own"
            raise UsageError(f"{plugin.name} has no threshold measured at FMR {fmr:g}", hint=hint)
        if point in own:
            # Few or equal distances keep below the rate that was asked for: what was measured is told, beside the wish.
            source, measured = f"{point.source}; for an FMR of at most {fmr:g}", point.fmr
        else:
            source, measured = f"catalogue: {point.protocol}" if point.protocol else point.source, fmr
        base = Decision(point.metric, known[fmr], source, measured)
    else:
        base = Decision(point.metric, point.threshold, point.source, point.fmr)
    rule = base if metric in (None, base.metric) else _in_metric(plugin, point, base, metric)
    return replace(rule, fmr=None, source=f"{rule.source}; stated for default parameters and crop") if altered else rule


def _in_metric(plugin: RecognizerPlugin, point: OperatingPoint, base: Decision, metric: Metric) -> Decision:
    derivable = {"cosine", "euclidean_l2", "angular"} | ({"euclidean"} if plugin.normalized else set())
    if {metric, base.metric} <= derivable:
        value = _from_cosine(_to_cosine(base.threshold, base.metric), metric)
        return Decision(metric, value, f"derived from {base.metric} {base.threshold:g}: {base.source}", base.fmr)
    if metric in point.equivalents and base.threshold == point.threshold:
        data = f"; measured on {point.protocol}" if point.protocol else ""
        source = f"at the rate of {base.metric} {base.threshold:g}: {base.source}{data}"
        return Decision(metric, point.equivalents[metric], source, base.fmr)
    raise UsageError(f"{plugin.name} has no {metric} threshold for this", hint="give one with --threshold")


def _to_cosine(value: float, metric: Metric) -> float:
    """For vectors of length 1: l2 = sqrt(2 d) and angle = arccos(1 - d) / pi, with d the cosine distance."""
    if metric in ("euclidean", "euclidean_l2"):
        return value**2 / 2
    return 1 - math.cos(value * math.pi) if metric == "angular" else value


def _from_cosine(value: float, metric: Metric) -> float:
    if metric in ("euclidean", "euclidean_l2"):
        return math.sqrt(2 * value)
    return math.acos(max(-1.0, 1 - value)) / math.pi if metric == "angular" else value


def choose(detections: Detections, choice: str, width: int, height: int, source: str) -> list[int]:
    """The indices of the faces that `choice` (only, largest, center, score, all, or an index) means.

    Raises NoFaceError, AmbiguousFaceError (for `only`), UsageError (for an index that is not there).
    """
    count = len(detections)
    if count == 0:
        raise NoFaceError(f"no face found in {source}", hint="try --min-face-size, another --detector, or --no-detect")
    if choice == "all":
        return list(range(count))
    if choice == "only":
        if count > 1:
            raise AmbiguousFaceError(f"{count} faces in {source}, --face only wants one", hint="choose with --face")
        return [0]
    if choice.isdecimal():
        if int(choice) >= count:
            raise NoFaceError(
                f"{source} has no face {choice}, its faces are 0 to {count - 1}", hint="see `facecli detect`"
            )
        return [int(choice)]
    if choice == "largest":
        # Only what lies in the picture counts: the box of a face that its edge cuts off reaches far outside.
        visible = detections.bboxes.clip(0, np.array([width, height, width, height], np.float32))
        return [int(np.argmax(areas(visible)))]
    sides = detections.bboxes[:, 2:] - detections.bboxes[:, :2]
    if choice == "center":
        off = detections.bboxes[:, :2] + sides / 2 - np.array([width / 2, height / 2], np.float32)
        return [int(np.argmin((off**2).sum(1)))]
    return [0]  # score: they are in order of score


def check_face_choice(choice: str) -> str:
    """Return a valid choice; raise UsageError otherwise."""
    # No picture has a billion faces, and int() refuses digits without end.
    index = choice.isascii() and choice.isdecimal() and len(choice) < 10
    if choice not in FACE_CHOICES and not index:
        raise UsageError(f"unknown --face {choice[:40]!r}", hint=f"use {', '.join(FACE_CHOICES)} or an index from 0")
    return choice
