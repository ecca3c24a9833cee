"""YOLOv8-face: Ultralytics' YOLOv8 with five landmarks; each side of a box is a distribution over distances.

Distribution focal loss: X. Li et al., "Generalized Focal Loss", 2020 (arXiv 2006.04388). The layout is that of files
that end in the raw maps of the three levels, (80, H, W): 4 x 16 distance logits, a class logit, 5 x (x, y, visible).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from facecli.contract import DetectorPlugin, hookimpl
from facecli.plugins.single_shot.candidates import Candidates
from facecli.plugins.single_shot.cells import STRIDES, beside, corners_of, gathered, grids, sigmoid
from facecli.plugins.single_shot.family import Family
from facecli.types import FloatArray

BINS = 16  # distances 0..15 strides
CLASS = 4 * BINS


def decode(outputs: Sequence[FloatArray], canvas: tuple[int, int], least: float) -> Candidates:
    """Three levels of (80, H, W) logits."""
    levels = []
    for output, stride in zip(outputs, STRIDES, strict=True):
        maps = output.reshape(len(output), -1)
        scores = sigmoid(maps[CLASS])
        kept = np.flatnonzero(scores >= least)
        rows = maps[:, kept].T
        corners = corners_of(kept, canvas[1], stride)
        distances = _expected(rows[:, :CLASS].reshape(-1, 4, BINS)) * np.float32(stride)
        offsets = rows[:, CLASS + 1 :].reshape(-1, 5, 3)[:, :, :2] * np.float32(2 * stride)
        landmarks = corners[:, None] + offsets
        levels.append((beside(corners + np.float32(stride / 2), distances), scores[kept], landmarks))
    return gathered(levels)


def _expected(logits: FloatArray) -> FloatArray:
    """(N, 4, BINS) logits of a distribution over 0..BINS-1 -> (N, 4) means."""
    weights = np.exp(logits - logits.max(2, keepdims=True))
    means: FloatArray = weights @ np.arange(BINS, dtype=np.float32) / weights.sum(2)
    return means


def shapes(canvas: tuple[int, int]) -> list[tuple[int, ...]]:
    """Of the outputs for one picture."""
    return [(CLASS + 16, *grid) for grid in grids(canvas)]


FAMILY = Family(
    "yolov8-face",
    "YOLOv8 with landmarks",
    decode,
    shapes,
    model="lite-t",
    score_threshold=0.35,
    nms_threshold=0.5,
)


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """YOLOv8-face."""
    yield FAMILY.plugin()
