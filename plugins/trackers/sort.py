"""SORT: boxes move on evenly, and the pairing of the largest overlap in all tells whose each detection is.

A. Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016, with its lifetimes in seconds instead of frames. The
parameters of the paper's table are max_age 0.04 (one frame at 25 a second), min_hits 3 and min_iou 0.3; ours keeps a
lost face for a second, because a film has faces that turn away for longer than a frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from facecli.contract import Parameters, Runtime, TrackerPlugin, hookimpl
from facecli.plugins.trackers.parameters import life_of, part_of
from facecli.plugins.trackers.tracks import Life, Tracks, matched
from facecli.types import Detections, Image, Tracked


class Sort:
    """SORT on one film."""

    def __init__(self, life: Life, min_iou: float) -> None:
        self._tracks, self._min_iou = Tracks(life), min_iou

    def update(self, detections: Detections, seconds: float, image: Image | None) -> Tracked:  # noqa: ARG002 # boxes do
        """Return whose each detection of the next frame is."""
        tracks, bboxes = self._tracks, detections.bboxes
        tracks.advance(seconds)
        rows, columns = matched(bboxes, tracks.motion.bboxes, self._min_iou)
        ids = np.zeros(len(bboxes), np.int64)
        ids[rows] = tracks.ids[columns]
        tracks.hit(columns, bboxes[rows])
        new = np.setdiff1d(np.arange(len(bboxes)), rows)
        ids[new] = tracks.begin(bboxes[new])
        return tracks.answer(ids)


def load(runtime: Runtime, parameters: Parameters) -> partial[Sort]:  # noqa: ARG001 # has no model
    """Return what makes a tracker for each film."""
    return partial(Sort, life_of("sort", parameters), part_of("sort", parameters, "min_iou"))


@hookimpl
def facecli_trackers() -> Iterable[TrackerPlugin]:
    """Yield SORT."""
    yield TrackerPlugin(
        name="sort",
        summary="SORT, by motion and overlap alone; quick",
        load=load,
        parameters={"max_age": 1.0, "min_hits": 3, "min_iou": 0.3},
    )
