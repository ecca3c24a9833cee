"""YOLOv8-face: Ultralytics' YOLOv8 with five landmarks; each side of a box is a distribution over distances.

Distribution focal loss: X. Li et al., "Generalized Focal Loss", 2020 (arXiv 2006.04388). The layout is that of files
that end in the raw maps of the three levels, (80, H, W): 4 x 16 distance logits, a class logit, 5 x (x, y, visible).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from facecli.contract import DetectorPlugin, hookimpl
from facecli.plugins.single_shot.candidates import Candidates, Layout
from facecli.plugins.single_shot.cells import STRIDES, boxes_at, corners_of, grids, join_levels, sigmoid
from facecli.plugins.single_shot.family import Family
from facecli.plugins.single_shot.parameters import DetectorParameters
from facecli.plugins.single_shot.plugin import family_plugin
from facecli.types import FloatArray

BINS = 16  # distances of 0 to 15 strides
CLASS = 4 * BINS  # channel of the class logit, behind those of the four sides


def decode(outputs: Sequence[FloatArray], canvas: tuple[int, int], least: float) -> Candidates:
    """Return the candidates in the outputs of one picture, in px of the canvas.

    outputs: maps (80, H, W) of logits, one per level. canvas: (height, width) px. least: the least score.
    """
    levels = []
    for output, stride in zip(outputs, STRIDES, strict=True):
        maps = output.reshape(len(output), -1)
        scores = sigmoid(maps[CLASS])
        kept = np.flatnonzero(scores >= least)
        rows = maps[:, kept].T
        corners = corners_of(kept, canvas[1], stride)
        distances = _means(rows[:, :CLASS].reshape(-1, 4, BINS)) * np.float32(stride)
        offsets = rows[:, CLASS + 1 :].reshape(-1, 5, 3)[:, :, :2] * np.float32(2 * stride)
        landmarks = corners[:, None] + offsets
        levels.append((boxes_at(corners + np.float32(stride / 2), distances), scores[kept], landmarks))
    return join_levels(levels)


def _means(logits: FloatArray) -> FloatArray:
    """Return the means (N, 4) of distributions over 0 to BINS - 1 that are given as logits (N, 4, BINS)."""
    weights = np.exp(logits - logits.max(2, keepdims=True))
    means: FloatArray = weights @ np.arange(BINS, dtype=np.float32) / weights.sum(2)
    return means


def shapes(canvas: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the shapes of the outputs of one picture, on a canvas of (height, width) px; see decode."""
    return [(CLASS + 16, *grid) for grid in grids(canvas)]


FAMILY = Family(
    "yolov8-face",
    "YOLOv8 with landmarks",
    Layout(decode, shapes),
    model="lite-t",
    defaults=DetectorParameters(score_threshold=0.35, nms_threshold=0.5),
)


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """Yield YOLOv8-face with all its models."""
    yield family_plugin(FAMILY)
