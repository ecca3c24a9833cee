"""Verification (1:1): the verdict about two pictures, as one typed value for command line, Python and server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from facecli.contract import Cohort
from facecli.kinds import PointMetric
from facecli.matching.closest import FUSION_THRESHOLD, FacePair, closest_pair, fuse
from facecli.matching.thresholds import DecisionRule
from facecli.pipeline.results import ImageResult
from facecli.pipeline.stages import Tools
from facecli.types import FloatArray

if TYPE_CHECKING:  # few verifications need them: a cold start is spared the import
    from facecli.matching.anti_spoof import AntiSpoof
    from facecli.pipeline.face import Face

Results = tuple[ImageResult, ImageResult]
FUSED = "fused"  # the metric of several recognizers together
FUSED_SOURCE = "the mean over the recognizers of distance / threshold"


@dataclass(frozen=True, slots=True)
class RecognizerDecision:
    """The decision of one recognizer about the two faces.

    recognizer: the plugin's name. verified: distance <= threshold. distance, threshold: in `metric`. similarity: cosine
    similarity, -1 to 1. threshold_source: a text for people, who states the threshold. fmr: the false match rate
    measured at the threshold, 0 to 1, and fmr_worst_group between people of the group in which it is highest; None if
    none was. cohort: the strangers that the metric "cohort" compared beside, else None.
    """

    recognizer: str
    verified: bool
    metric: PointMetric
    distance: float
    similarity: float
    threshold: float
    threshold_source: str
    fmr: float | None
    fmr_worst_group: float | None = None
    cohort: Cohort | None = None

    @property
    def margin(self) -> float:
        """Return threshold - distance: how far the distance is from changing the decision; negative for two people."""
        return self.threshold - self.distance


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """The answer to whether two pictures show one person.

    verified: True if distance <= threshold and, where anti-spoofing ran, both faces passed. metric, distance,
    similarity (cosine), threshold, threshold_source, fmr, fmr_worst_group, cohort: those of the recognizer; of
    several recognizers the metric is "fused", the distance the mean of their distance / threshold, the threshold 1, and
    similarity, the rates and the cohort are None.
    results: the two pictures with all their chosen faces. rows: the row in each of them of the face that was compared.
    decisions: one of each recognizer. anti_spoof: None if it was not asked for. seconds: time per stage of the
    pipeline, where it was taken.
    """

    verified: bool
    metric: str
    distance: float
    similarity: float | None
    threshold: float
    threshold_source: str
    fmr: float | None
    results: Results
    rows: tuple[int, int]
    decisions: tuple[RecognizerDecision, ...]
    anti_spoof: AntiSpoof | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    fmr_worst_group: float | None = None
    cohort: Cohort | None = None

    @property
    def faces(self) -> tuple[Face, Face]:
        """The two faces that were compared, the first picture's first."""
        from facecli.pipeline.face import face_of

        first, second = map(face_of, self.results, self.rows)
        return first, second

    @property
    def margin(self) -> float:
        """Return threshold - distance: positive for a match by distance, whatever anti-spoofing found."""
        return self.threshold - self.distance


def verify(
    tools: Tools, results: Sequence[ImageResult], rules: Sequence[DecisionRule], *, anti_spoof: bool = False
) -> Verification:
    """Decide whether two pictures show one person.

    tools: the plugins that the pictures went through. results: of the two pictures, each with embeddings of at least
    one face; of several faces the closest pair is compared. rules: one for each recognizer of the toolbox. anti_spoof:
    also check that both faces are real, by the toolbox's anti-spoofing model.

    Raises the error of the first result that has one, and UsageError if several recognizers are to decide together and
    one of them has a threshold of 0.
    """
    for result in results:
        if result.error is not None:
            raise result.error
    first, second = results
    names = [plugin.name for plugin in tools.recognizer_plugins]
    if len(names) == 1:
        verification = _by_one((first, second), names[0], rules[0])
    else:
        verification = _by_several((first, second), names, rules)
    if not anti_spoof:
        return verification
    first_row, second_row = verification.rows
    from facecli.matching.anti_spoof import check as check_spoof

    check = check_spoof((first, first_row), (second, second_row))
    return replace(verification, verified=verification.verified and check.passed, anti_spoof=check)


def _by_one(results: Results, recognizer: str, rule: DecisionRule) -> Verification:
    (a,), (b,) = (_templates(result, [rule]) for result in results)
    pair = closest_pair(a, b, rule.metric)
    decision = _decision(recognizer, rule, pair)
    return Verification(
        verified=decision.verified,
        metric=rule.metric,
        distance=pair.distance,
        similarity=pair.similarity,
        threshold=rule.threshold,
        threshold_source=rule.source,
        fmr=rule.fmr,
        results=results,
        rows=pair.rows,
        decisions=(decision,),
        fmr_worst_group=rule.fmr_worst_group,
        cohort=rule.cohort,
    )


def _by_several(results: Results, recognizers: Sequence[str], rules: Sequence[DecisionRule]) -> Verification:
    a, b = (_templates(result, rules) for result in results)
    fusion = fuse(a, b, rules)
    return Verification(
        verified=fusion.score <= FUSION_THRESHOLD,
        metric=FUSED,
        distance=fusion.score,
        similarity=None,
        threshold=FUSION_THRESHOLD,
        threshold_source=FUSED_SOURCE,
        fmr=None,
        results=results,
        rows=fusion.rows,
        decisions=tuple(map(_decision, recognizers, rules, fusion.parts)),
    )


def _templates(result: ImageResult, rules: Sequence[DecisionRule]) -> list[FloatArray]:
    """Return the embeddings (N, dim) of a picture's faces by each recognizer, in the order of the toolbox.

    For a rule with a cohort they are its templates (N, dim + 2).
    """
    embeddings = [rows for rows in (result.embeddings, *result.further_embeddings) if rows is not None]
    if all(rule.cohort is None for rule in rules):
        return embeddings
    from facecli.matching.cohort import templates

    return [templates(rule.cohort, rows) for rows, rule in zip(embeddings, rules, strict=True)]


def _decision(recognizer: str, rule: DecisionRule, pair: FacePair) -> RecognizerDecision:
    return RecognizerDecision(
        recognizer=recognizer,
        verified=pair.distance <= rule.threshold,
        metric=rule.metric,
        distance=pair.distance,
        similarity=pair.similarity,
        threshold=rule.threshold,
        threshold_source=rule.source,
        fmr=rule.fmr,
        fmr_worst_group=rule.fmr_worst_group,
        cohort=rule.cohort,
    )
