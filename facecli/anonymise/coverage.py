"""The boxes that are covered in each frame of a film: a track's sights, its gaps filled, its ends continued.

A detector loses a face for a frame or two, and then the whole film was covered in vain. What lies between two sights of
a track is interpolated; before the first and behind the last one the box stands still, and grows as it may have moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from facecli.anonymise.analysis import Analysis, Sight
from facecli.types import FloatArray

HOLD = 0.25  # s that a face is covered before it is first and after it is last seen
GROWTH = 0.25  # of the box's sides that it grows by on each side at the end of that time
AROUND = 1  # frames on each side whose boxes a box is widened by: detectors jitter


def covers(analysis: Analysis, tracks: Iterable[int], hold: float = HOLD) -> list[list[FloatArray]]:
    """Return for each frame of a film the boxes (4,) float32 xyxy px of these tracks that are to be covered."""
    frames: list[list[FloatArray]] = [[] for _ in analysis.times]
    times = np.asarray(analysis.times, float)
    for track in tracks:
        first, boxes = _path(analysis.tracks[track], times, hold)
        for offset, box in enumerate(_widened(boxes)):
            frames[first + offset].append(box)
    return frames


def _path(sights: Sequence[Sight], times: NDArray[np.float64], hold: float) -> tuple[int, FloatArray]:
    """Return the first frame of a track's box, and the box in that and each following frame, (N, 4) float32."""
    numbers = np.array([sight.frame for sight in sights])
    seen = np.stack([sight.bbox for sight in sights]).astype(np.float64)
    start, end = times[numbers[0]], times[numbers[-1]]
    first = int(np.searchsorted(times, start - hold))
    last = int(np.searchsorted(times, end + hold, side="right"))
    there = times[first:last]
    boxes = np.stack([np.interp(there, times[numbers], seen[:, side]) for side in range(4)], axis=1)
    beyond = np.maximum(start - there, there - end).clip(0) / max(hold, 1e-9) * GROWTH
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2) * np.array([-1.0, -1.0, 1.0, 1.0])
    return first, np.asarray(boxes + sides * beyond[:, None], np.float32)


def _widened(boxes: FloatArray) -> FloatArray:
    """Return each box so large that it holds those of the frames beside it, (N, 4)."""
    padded = np.pad(boxes, ((AROUND, AROUND), (0, 0)), mode="edge")
    near = np.stack([padded[shift : shift + len(boxes)] for shift in range(2 * AROUND + 1)])
    return np.concatenate([near[..., :2].min(0), near[..., 2:].max(0)], axis=1)
