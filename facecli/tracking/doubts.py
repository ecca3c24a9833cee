"""Tracks that may have become somebody else: a tracker that goes by motion confuses faces that met or were hidden.

The face itself decides once it can be seen alone again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facecli.geometry import overlap
from facecli.types import FloatArray, Tracked

MET = 0.1  # intersection over union of two tracks, one of which may then go on with the other's face
HIDDEN = 0.2  # s without a detection in the frames between, after which anybody may come out
PAUSE = 0.2  # s from a meeting, or a look, to the next look


@dataclass(slots=True)
class Doubt:
    """A doubt about a track. since, latest: when something spoke against it, first and last. looked: the last look."""

    since: float
    latest: float
    looked: float

    def due(self, time: float) -> bool:
        """Return whether it is time for a look at the face."""
        return time >= self.looked + PAUSE

    def passes(self, time: float) -> bool:
        """Return whether the track was alone for so long that a look now decides."""
        return time >= self.latest + PAUSE


class Doubts:
    """The doubts about the tracks of one film, whose keys are the tracker's ids."""

    def __init__(self) -> None:
        self._seen: dict[int, float] = {}  # when each track was detected
        self._before = 0.0  # the time of the frame before
        self._doubts: dict[int, Doubt] = {}

    def note(self, bboxes: FloatArray, tracked: Tracked, time: float) -> None:
        """Take a frame: the boxes (N, 4) of its detections, and whose they are."""
        keys = np.concatenate([tracked.ids, tracked.lost_ids])
        alike = overlap(*[np.concatenate([bboxes, tracked.lost_bboxes])] * 2)
        np.fill_diagonal(alike, 0)
        here = set(tracked.ids.tolist())
        for key, met in zip(keys.tolist(), (alike.max(axis=1, initial=0) >= MET).tolist(), strict=True):
            seen = self._seen.get(key, time)
            if met or (seen < self._before and time - seen > HIDDEN):  # few frames a second hide nobody
                self._doubts.setdefault(key, Doubt(time, time, time)).latest = time
        self._seen = {key: time if key in here else self._seen.get(key, time) for key in keys.tolist()}
        self._before = time
        self._doubts = {key: doubt for key, doubt in self._doubts.items() if key in self._seen}

    def about(self, key: int) -> Doubt | None:
        """Return the doubt about a track, None without any."""
        return self._doubts.get(key)

    def settle(self, key: int) -> None:
        """End the doubt about a track."""
        self._doubts.pop(key, None)
