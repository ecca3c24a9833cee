"""Attributes over time: probabilities averaged over a window, told when the likeliest label has changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from facecli.pipeline.results import AttributeRows
from facecli.pipeline.stages import Stages
from facecli.tracking.events import TrackAttribute
from facecli.tracking.looks import Look
from facecli.types import FloatArray

PERIOD = 0.2  # s between two looks at a face
LEAD, HOLD = 0.1, 0.5  # how far the mean of a new label is ahead of the one that was told, and for how many seconds


@dataclass(slots=True)
class _Series:
    """One attribute of one track. total, count: of all probabilities so far. recent: (time, row) within the window."""

    labels: tuple[str, ...]
    total: FloatArray
    count: int = 0
    recent: deque[tuple[float, FloatArray]] = field(default_factory=deque)
    told: str | None = None
    rising: str | None = None
    since: float = 0.0


class Moods:
    """The attributes of the tracks of one film. window: seconds that are averaged."""

    def __init__(self, stages: Stages, source: str, window: float) -> None:
        self._stages, self._source, self._window = stages, source, window
        self._series: dict[int, dict[str, _Series]] = {}
        self._looked: dict[int, float] = {}

    def due(self, track: int, time: float) -> bool:
        """Return whether it is time to look at a track's face again."""
        return time >= self._looked.get(track, -np.inf) + PERIOD - 1e-6

    def step(self, looks: Sequence[tuple[int, Look]]) -> list[TrackAttribute]:
        """Look at faces, (track, look) each; return what has changed."""
        if not looks:
            return []
        results = self._stages.describe([look.result for _, look in looks])
        told = []
        for (track, look), result in zip(looks, results, strict=True):
            self._looked[track] = look.time
            for answer in result.attributes:
                if answer.labels:
                    told += self._add(track, look.time, answer)
        return told

    def end(self, track: int) -> Mapping[str, Mapping[str, float]]:
        """Return attribute -> label -> mean probability of a track that ended."""
        self._looked.pop(track, None)
        own = self._series.pop(track, {})
        return {name: _named(one.labels, one.total / np.float32(max(one.count, 1))) for name, one in own.items()}

    def _add(self, track: int, time: float, answer: AttributeRows) -> list[TrackAttribute]:
        own, row = self._series.setdefault(track, {}), answer.rows[0]
        one = own.setdefault(answer.attribute, _Series(answer.labels, np.zeros_like(row)))
        one.total, one.count = one.total + row, one.count + 1
        one.recent.append((time, row))
        while one.recent[0][0] < time - self._window:
            one.recent.popleft()
        mean = np.asarray(np.mean([recent for _, recent in one.recent], axis=0), np.float32)
        best = one.labels[int(mean.argmax())]
        lead = float(mean.max()) - (float(mean[one.labels.index(one.told)]) if one.told else 0.0)
        if best == one.told or lead < LEAD:
            one.rising = None
            return []
        if best != one.rising:
            one.rising, one.since = best, time
        if time < one.since + HOLD - 1e-6:
            return []
        one.told, one.rising = best, None
        probabilities = _named(one.labels, mean)
        samples = len(one.recent)
        return [TrackAttribute(self._source, track, time, answer.attribute, best, probabilities, self._window, samples)]


def _named(labels: Sequence[str], row: FloatArray) -> dict[str, float]:
    return dict(zip(labels, map(float, row), strict=True))
