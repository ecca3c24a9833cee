"""RetinaFace: boxes and landmarks as offsets from prior boxes, two in each cell of three strides.

J. Deng et al., "RetinaFace: Single-stage Dense Face Localisation in the Wild", 2019 (arXiv 1905.00641); prior boxes and
variances as in W. Liu et al., "SSD", 2016 (arXiv 1512.02325).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from facecli.contract import DetectorPlugin, hookimpl
from facecli.plugins.single_shot.candidates import Candidates, Layout
from facecli.plugins.single_shot.cells import STRIDES, boxes_around, corners_of, grids, join_levels
from facecli.plugins.single_shot.family import Family
from facecli.plugins.single_shot.parameters import DetectorParameters
from facecli.plugins.single_shot.plugin import family_plugin
from facecli.types import FloatArray

# Sides of the square priors, px, level by level: biubug6/Face-Detector-1MB-with-landmark, data/config.py, cfg_mnet.
PRIORS = np.array([[10, 20], [32, 64], [128, 256]], np.float32)
UNIFACE_PRIORS = np.array([[16, 32], [64, 128], [256, 512]], np.float32)  # yakhyo/uniface, uniface/common.py
UNIFACE = ("mobilenet0.25", "mobilenet0.50", "mobilenetv1", "mobilenetv2", "resnet18", "resnet34")
CENTRE_VARIANCE, SIZE_VARIANCE = np.float32(0.1), np.float32(0.2)


def decode(
    outputs: Sequence[FloatArray], canvas: tuple[int, int], least: float, *, priors: FloatArray = PRIORS
) -> Candidates:
    """Return the candidates in the outputs of one picture, in px of the canvas.

    outputs: box offsets (N, 4), scores (N, 2) of background and face, and landmark offsets (N, 10), of all priors,
    level by level. canvas: (height, width) px. least: the least score. priors: (3, 2) px, the sides of each level's
    priors.
    """
    boxes, scores, offsets = outputs
    levels: list[tuple[FloatArray, FloatArray, FloatArray]] = []
    start = 0
    for stride, sides in zip(STRIDES, priors, strict=True):
        count = (canvas[0] // stride) * (canvas[1] // stride) * len(sides)
        faces = scores[start : start + count, 1]
        kept = np.flatnonzero(faces >= least)
        rows = boxes[start + kept]
        centre = corners_of(kept // len(sides), canvas[1], stride) + np.float32(stride / 2)
        side = sides[kept % len(sides), None]
        centres = centre + rows[:, :2] * CENTRE_VARIANCE * side
        landmarks = centre[:, None] + offsets[start + kept].reshape(-1, 5, 2) * (CENTRE_VARIANCE * side[:, None])
        levels.append((boxes_around(centres, side * np.exp(rows[:, 2:] * SIZE_VARIANCE)), faces[kept], landmarks))
        start += count
    return join_levels(levels)


def shapes(canvas: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the shapes of the outputs of one picture, on a canvas of (height, width) px; see decode."""
    priors = sum(height * width for height, width in grids(canvas)) * PRIORS.shape[1]
    return [(priors, 4), (priors, 2), (priors, 10)]


FAMILY = Family(
    "retinaface",
    "RetinaFace with a small MobileNet, with landmarks",
    Layout(decode, shapes),
    model="mobilenet0.25",
    defaults=DetectorParameters(score_threshold=0.8, nms_threshold=0.4),
    others={f"uniface-{name}": Layout(partial(decode, priors=UNIFACE_PRIORS), shapes) for name in UNIFACE},
)


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """Yield RetinaFace with all its models."""
    yield family_plugin(FAMILY)
