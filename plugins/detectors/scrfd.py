"""SCRFD: InsightFace's detector; boxes and landmarks as distances from anchor points, at three strides.

J. Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021 (arXiv 2105.04714). Order of
the outputs, two anchors in each cell and areas that include a box's last pixel are those of the package insightface, so
that its users get the boxes they know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from facecli.contract import DetectorPlugin, hookimpl
from facecli.plugins.single_shot.candidates import Candidates, Layout
from facecli.plugins.single_shot.cells import STRIDES, boxes_at, corners_of, join_levels, row_shapes
from facecli.plugins.single_shot.family import Family
from facecli.plugins.single_shot.parameters import DetectorParameters
from facecli.plugins.single_shot.plugin import family_plugin
from facecli.types import FloatArray

ANCHORS = 2  # in each cell, both at its top left corner


def decode(outputs: Sequence[FloatArray], canvas: tuple[int, int], least: float) -> Candidates:
    """Return the candidates in the outputs of one picture, in px of the canvas.

    outputs: three levels each of scores (N, 1), box distances (N, 4) and landmark offsets (N, 10), in strides. canvas:
    (height, width) px. least: the least score.
    """
    levels = []
    for level, stride in enumerate(STRIDES):
        scores, distances, offsets = outputs[level::3]
        kept = np.flatnonzero(scores >= least)
        points = corners_of(kept // ANCHORS, canvas[1], stride)
        landmarks = points[:, None] + offsets[kept].reshape(-1, 5, 2) * np.float32(stride)
        levels.append((boxes_at(points, distances[kept] * np.float32(stride)), scores[kept, 0], landmarks))
    return join_levels(levels)


def shapes(canvas: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the shapes of the outputs of one picture, on a canvas of (height, width) px; see decode."""
    return row_shapes(canvas, ANCHORS, (1, 4, 10))


FAMILY = Family(
    "scrfd",
    "InsightFace's SCRFD, with landmarks",
    Layout(decode, shapes),
    model="500m",
    defaults=DetectorParameters(score_threshold=0.5, nms_threshold=0.4, multi_scale="auto"),
    one_scale=True,
    inclusive=True,
)


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """Yield SCRFD with all its models."""
    yield family_plugin(FAMILY)
