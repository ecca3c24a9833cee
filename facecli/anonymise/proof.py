"""The proof that a face is hidden: recognizers see it before and after, in the same place, and must not agree.

An attacker may know where the face was, so the crops after are cut by the landmarks before. Each recognizer decides at
its own operating point. What none of them recognises, a better one still may; only one colour gives nothing away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from facecli.errors import OutputError
from facecli.matching.cohort import templates
from facecli.matching.metrics import distance
from facecli.matching.thresholds import DecisionRule
from facecli.pipeline.results import ImageResult
from facecli.pipeline.stages import Stages
from facecli.types import Detections, FloatArray, Image


class RecognisableError(OutputError):
    """A face was covered, a recognizer still knows it, and the copy is not written."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A recognizer's nearest pair of a face before and after. distance, threshold: in metric. faces: it compared."""

    recognizer: str
    metric: str
    threshold: float
    distance: float
    faces: int
    recognised: int


class Proof:
    """The comparisons of one file. stages: those of one or more recognizers. rules: one for each of them."""

    def __init__(self, stages: Stages, rules: Sequence[DecisionRule]) -> None:
        self._stages, self._rules = stages, rules
        self._distances: list[list[float]] = [[] for _ in rules]

    def compare(self, before: Image, after: Image, faces: Detections) -> None:
        """Compare faces of a picture with the same places of its copy."""
        if not len(faces):
            return
        rows = tuple(range(len(faces)))
        pair = [ImageResult(one.source, indices=rows, detections=faces, image=one) for one in (before, after)]
        first, second = map(_embeddings, self._stages.describe(pair))
        for number, rule in enumerate(self._rules):
            a, b = (templates(rule.cohort, own[number]) for own in (first, second))
            self._distances[number] += distance(a, b, rule.metric).tolist()

    def witnesses(self) -> tuple[Witness, ...]:
        """Return what each recognizer has seen; nothing where no face was covered."""
        plugins = self._stages.tools.recognizer_plugins
        return tuple(
            Witness(plugin.name, rule.metric, rule.threshold, min(own), len(own), sum(d <= rule.threshold for d in own))
            for plugin, rule, own in zip(plugins, self._rules, self._distances, strict=True)
            if own
        )

    def refuse_recognised(self, source: str) -> tuple[Witness, ...]:
        """Return the witnesses. Raises RecognisableError if one of them has recognised a face."""
        found = self.witnesses()
        for one in found:
            if one.recognised:
                message = f"{one.recognised} of {one.faces} faces of {source} are still recognised by {one.recognizer}"
                hint = "nothing was written; lower {cells}, raise {margin}, or take {method} mask"
                raise RecognisableError(message, hint=hint, about=("cells", "margin", "method"))
        return found


def _embeddings(result: ImageResult) -> tuple[FloatArray, ...]:
    assert result.embeddings is not None
    return (result.embeddings, *result.further_embeddings)
