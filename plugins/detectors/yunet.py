"""YuNet: a detector of 76 thousand parameters by the author of libfacedetection; one anchor point per cell.

W. Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023; decoded as OpenCV's FaceDetectorYN does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from facecli.contract import DetectorPlugin, hookimpl
from facecli.plugins.single_shot.candidates import Candidates
from facecli.plugins.single_shot.cells import STRIDES, around, corners_of, gathered, rows
from facecli.plugins.single_shot.family import Family
from facecli.types import FloatArray

LARGEST = 20.0  # of the logarithm of a side, so that a stray value does not overflow


def decode(outputs: Sequence[FloatArray], canvas: tuple[int, int], least: float) -> Candidates:
    """Three levels each of class and object scores (N, 1), boxes (N, 4) and landmarks (N, 10), in strides."""
    levels = []
    for level, stride in enumerate(STRIDES):
        classes, objects, boxes, offsets = outputs[level::3]
        scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
        kept = np.flatnonzero(scores >= least)
        points = corners_of(kept, canvas[1], stride)
        boxes = boxes[kept]
        centres, sides = (
            points + boxes[:, :2] * np.float32(stride),
            np.exp(np.minimum(boxes[:, 2:], LARGEST)) * np.float32(stride),
        )
        landmarks = points[:, None] + offsets[kept].reshape(-1, 5, 2) * np.float32(stride)
        levels.append((around(centres, sides), scores[kept], landmarks))
    return gathered(levels)


def shapes(canvas: tuple[int, int]) -> list[tuple[int, ...]]:
    """Of the outputs for one picture."""
    return rows(canvas, 1, (1, 1, 4, 10))


FAMILY = Family(
    "yunet",
    "YuNet, tiny and quick, with landmarks",
    decode,
    shapes,
    model="n",
    score_threshold=0.7,
    nms_threshold=0.3,
)


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """YuNet."""
    yield FAMILY.plugin()
