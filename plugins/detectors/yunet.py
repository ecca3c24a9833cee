"""YuNet: a detector of 76 thousand parameters by the author of libfacedetection; one anchor point per cell.

W. Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023; decoded as OpenCV's FaceDetectorYN does.

The defaults were chosen by benchmarks/yunet_looks.py, whose table is in docs/detectors.md:
- size 960, least_size 640: each doubling of a picture's sides finds smaller faces, at four times the cost. Up to 960 px
  more of the pixels that are there are worth their time; above 640 px pixels that are not there are not.
- small_size 224: the network hardly sees faces longer than some 450 px. In small they are the easiest ones.
- inside_threshold 0.8: what it sees of such a face in large are an eye or a lens of glasses, inside the whole face.
- score_threshold 0.75: as good as 0.70 in F1, with half of the false faces; 0.80 misses more than it gains.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from facecli.contract import DetectorPlugin, hookimpl
from facecli.plugins.single_shot.candidates import Candidates, Layout
from facecli.plugins.single_shot.cells import STRIDES, boxes_around, corners_of, join_levels, row_shapes
from facecli.plugins.single_shot.family import Family
from facecli.plugins.single_shot.parameters import DetectorParameters
from facecli.plugins.single_shot.plugin import family_plugin
from facecli.types import FloatArray

LARGEST = 20.0  # logarithm of a side in strides: larger ones are stray values, whose exponential would overflow


def decode(outputs: Sequence[FloatArray], canvas: tuple[int, int], least: float) -> Candidates:
    """Return the candidates in the outputs of one picture, in px of the canvas.

    outputs: three levels each of class scores (N, 1), object scores (N, 1), boxes (N, 4) as centre offsets and
    logarithms of the sides, and landmark offsets (N, 10), in strides. canvas: (height, width) px. least: the least
    score.
    """
    levels = []
    for level, stride in enumerate(STRIDES):
        classes, objects, boxes, offsets = outputs[level::3]
        scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
        kept = np.flatnonzero(scores >= least)
        points = corners_of(kept, canvas[1], stride)
        boxes = boxes[kept]
        centres = points + boxes[:, :2] * np.float32(stride)
        sides = np.exp(np.minimum(boxes[:, 2:], LARGEST)) * np.float32(stride)
        landmarks = points[:, None] + offsets[kept].reshape(-1, 5, 2) * np.float32(stride)
        levels.append((boxes_around(centres, sides), scores[kept], landmarks))
    return join_levels(levels)


def shapes(canvas: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the shapes of the outputs of one picture, on a canvas of (height, width) px; see decode."""
    return row_shapes(canvas, 1, (1, 1, 4, 10))


FAMILY = Family(
    "yunet",
    "YuNet, tiny and quick, with landmarks",
    Layout(decode, shapes),
    model="2023mar",
    defaults=DetectorParameters(
        size=960, score_threshold=0.75, nms_threshold=0.3, multi_scale="auto", small_size=224, inside_threshold=0.8
    ),
)


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """Yield YuNet with all its models."""
    yield family_plugin(FAMILY)
