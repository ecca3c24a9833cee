"""Faces followed through one live view, so that a name belongs to a face and not to a single frame.

A face goes on with the track whose box it overlaps most. A track is named by the frames of it that named somebody, so
that one odd frame changes nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from facecli.gallery.decision import Identification
from facecli.geometry import overlap
from facecli.types import FloatArray

OVERLAP = 0.3  # least intersection over union of one face in two frames
PATIENCE = 5  # frames without its face after which a track ends
REMEMBERED = 15  # frames whose answers count
NEEDED = 2  # of them that must name the same person


@dataclass(slots=True)
class Track:
    """One face through time. bbox: (4,) float32 xyxy px where it was last. missed: frames since."""

    id: int
    bbox: FloatArray
    missed: int = 0
    told: bool = False
    _answers: deque[str | None] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def hear(self, answer: Identification | None) -> None:
        """Take the answer of one frame."""
        self._answers.append(None if answer is None else answer.person)

    @property
    def person(self) -> str | None:
        """The person whom at least NEEDED frames name, and more than any other; None if there is none."""
        counts = Counter(name for name in self._answers if name is not None).most_common(2)
        if not counts or counts[0][1] < NEEDED:
            return None
        return None if len(counts) > 1 and counts[1][1] == counts[0][1] else counts[0][0]


class Tracks:
    """The faces of one live view."""

    def __init__(self) -> None:
        self._living: list[Track] = []
        self._latest = 0

    def update(self, bboxes: FloatArray) -> list[Track]:
        """Return the track of each face of a frame. bboxes: (N, 4) float32 xyxy px."""
        found: dict[int, Track] = {}
        for row, track in self._pairs(bboxes):
            track.bbox, track.missed = bboxes[row], 0
            found[row] = track
        for track in self._living:
            if track not in found.values():
                track.missed += 1
        self._living = [track for track in self._living if track.missed <= PATIENCE]
        for row in range(len(bboxes)):
            if row not in found:
                self._latest += 1
                found[row] = Track(self._latest, bboxes[row])
                self._living.append(found[row])
        return [found[row] for row in range(len(bboxes))]

    def _pairs(self, bboxes: FloatArray) -> Sequence[tuple[int, Track]]:
        """Return faces with their tracks, the best overlap first."""
        if not self._living or not len(bboxes):
            return []
        overlaps = overlap(bboxes, np.stack([track.bbox for track in self._living]))
        order = np.dstack(np.unravel_index(np.argsort(-overlaps, axis=None, kind="stable"), overlaps.shape))[0]
        pairs: list[tuple[int, Track]] = []
        taken_rows: set[int] = set()
        taken_tracks: set[int] = set()
        for row, number in order.tolist():
            if overlaps[row, number] >= OVERLAP and row not in taken_rows and number not in taken_tracks:
                pairs.append((row, self._living[number]))
                taken_rows.add(row)
                taken_tracks.add(number)
        return pairs
