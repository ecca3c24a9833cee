"""The boxes that are covered in each frame of a film: a track's sights, its gaps filled, its ends continued.

A detector loses a face for a frame or two, and then the whole film was covered in vain. What lies between two sights of
a track is interpolated; before the first and behind the last one the box moves on as it moved there, and grows as it
may have turned. A box that shrinks is a face that something hides, so it stays as large as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from facecli.anonymise.analysis import Analysis, Sight
from facecli.types import FloatArray

HOLD = 0.5  # s that a face is covered before it is first and after it is last seen
GROWTH = 0.25  # of the box's sides that it grows by on each side at the end of that time
NEAR = 0.2  # s around a sight whose boxes tell how large the face is, and at an end how it moves

Rows = NDArray[np.float64]


def covers(analysis: Analysis, tracks: Iterable[int], hold: float = HOLD) -> list[list[FloatArray]]:
    """Return for each frame of a film the boxes (4,) float32 xyxy px of these tracks that are to be covered."""
    frames: list[list[FloatArray]] = [[] for _ in analysis.times]
    times = np.asarray(analysis.times, float)
    for track in tracks:
        first, boxes = _path(analysis.tracks[track], times, hold)
        for offset, box in enumerate(boxes):
            frames[first + offset].append(box)
    return frames


def _path(sights: Sequence[Sight], times: Rows, hold: float) -> tuple[int, FloatArray]:
    """Return the first frame of a track's box, and the box in that and each following frame, (N, 4) float32."""
    seen = times[[sight.frame for sight in sights]]
    bboxes = np.stack([sight.bbox for sight in sights]).astype(np.float64)
    middles, sides = (bboxes[:, :2] + bboxes[:, 2:]) / 2, _largest(bboxes[:, 2:] - bboxes[:, :2], seen)
    start, end = seen[0], seen[-1]
    first = int(np.searchsorted(times, start - hold))
    there = times[first : int(np.searchsorted(times, end + hold, side="right"))]
    before, behind = (start - there).clip(0)[:, None], (there - end).clip(0)[:, None]
    middle, side = (
        np.stack([np.interp(there, seen, of[:, axis]) for axis in (0, 1)], axis=1) for of in (middles, sides)
    )
    at_first, at_last = seen <= start + NEAR, seen >= end - NEAR
    middle += behind * _speed(middles[at_last], seen[at_last]) - before * _speed(middles[at_first], seen[at_first])
    half = side * (0.5 + GROWTH * (before + behind) / max(hold, 1e-9))
    return first, np.concatenate([middle - half, middle + half], axis=1).astype(np.float32)


def _largest(sides: Rows, times: Rows) -> Rows:
    """Return for each box, of these sides (N, 2) at these times (N,), the largest width and height NEAR to it."""
    begins, ends = np.searchsorted(times, times - NEAR), np.searchsorted(times, times + NEAR, side="right")
    return np.stack([sides[begin:end].max(0) for begin, end in zip(begins, ends, strict=True)])


def _speed(middles: Rows, times: Rows) -> Rows:
    """Return how something moved through these places (N, 2) px at these times (N,): (2,) px per second.

    What was seen for less than NEAR counts as slower: a detector's jitter is no motion.
    """
    return np.asarray((middles[-1] - middles[0]) / max(float(times[-1] - times[0]), NEAR))
