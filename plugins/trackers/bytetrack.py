"""ByteTrack: sure detections are paired first, then the doubtful ones with the tracks that are left.

Y. Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022, on the filter of our
SORT. It needs a detector that tells its doubtful faces, such as `-p yunet.score_threshold=0.3`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from facecli.contract import Parameters, Runtime, TrackerPlugin, hookimpl
from facecli.plugins.trackers.parameters import life_of, part_of
from facecli.plugins.trackers.tracks import Life, Tracks, matched
from facecli.types import Detections, FloatArray, Image, Tracked

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rounds:
    """The bounds of the two rounds. sure: score of the first one's detections. first, second: least overlap of a pair.

    begin: score from which a detection that nobody has begins a track.
    """

    sure: float
    first: float
    second: float
    begin: float


class ByteTrack:
    """ByteTrack on one film."""

    def __init__(self, life: Life, rounds: Rounds) -> None:
        self._tracks, self._rounds = Tracks(life), rounds

    def update(self, detections: Detections, seconds: float, image: Image | None) -> Tracked:  # noqa: ARG002 # boxes do
        """Return whose each detection of the next frame is; a doubtful one that nobody has is a track of one frame."""
        tracks, rounds, bboxes, scores = self._tracks, self._rounds, detections.bboxes, detections.scores
        tracks.advance(seconds)
        ids = np.zeros(len(bboxes), np.int64)
        sure = np.flatnonzero(scores >= rounds.sure)
        doubtful = np.flatnonzero(scores < rounds.sure)
        free = np.arange(len(tracks.ids))
        free = self._pair(ids, bboxes, sure, free, rounds.first)
        # A track that was lost before has no claim on a doubtful detection: it may be anything.
        self._pair(ids, bboxes, doubtful, free[tracks.lost[free] <= seconds + 1e-6], rounds.second)
        new = np.flatnonzero(ids == 0)
        ids[new] = tracks.begin(bboxes[new])
        answer = tracks.answer(ids)
        tracks.drop(ids[new[scores[new] < rounds.begin]])
        return answer

    def _pair(
        self, ids: NDArray[np.int64], bboxes: FloatArray, chosen: Indices, free: Indices, least: float
    ) -> Indices:
        """Pair the chosen detections with the free tracks, write their ids, and return the tracks that are left."""
        tracks = self._tracks
        rows, columns = matched(bboxes[chosen], tracks.motion.bboxes[free], least)
        ids[chosen[rows]] = tracks.ids[free[columns]]
        tracks.hit(free[columns], bboxes[chosen[rows]])
        return np.delete(free, columns)


def load(runtime: Runtime, parameters: Parameters) -> partial[ByteTrack]:  # noqa: ARG001 # has no model
    """Return what makes a tracker for each film."""
    names = ("high_score", "min_iou", "second_iou", "new_score")
    rounds = Rounds(*(part_of("bytetrack", parameters, name) for name in names))
    return partial(ByteTrack, life_of("bytetrack", parameters), rounds)


@hookimpl
def facecli_trackers() -> Iterable[TrackerPlugin]:
    """Yield ByteTrack."""
    yield TrackerPlugin(
        name="bytetrack",
        summary="ByteTrack, which also uses doubtful detections",
        load=load,
        parameters={
            "max_age": 1.0,
            "min_hits": 3,
            "high_score": 0.6,
            "min_iou": 0.2,
            "second_iou": 0.5,
            "new_score": 0.7,
        },
    )
