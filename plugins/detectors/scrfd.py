"""SCRFD: InsightFace's detector; boxes and landmarks as distances from anchor points, at three strides.

J. Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021 (arXiv 2105.04714). The order
of the outputs, the two anchors in each cell and the area of a box with its last pixel are those of the package
insightface, so that its users get the boxes they know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from facecli.contract import DetectorPlugin, hookimpl
from facecli.plugins.single_shot.candidates import Candidates
from facecli.plugins.single_shot.cells import STRIDES, beside, corners_of, gathered, rows
from facecli.plugins.single_shot.family import Family
from facecli.types import FloatArray

ANCHORS = 2  # in each cell, both at its top left corner


def decode(outputs: Sequence[FloatArray], canvas: tuple[int, int], least: float) -> Candidates:
    """Three levels each of scores (N, 1), box distances (N, 4) and landmark offsets (N, 10), in strides."""
    levels = []
    for level, stride in enumerate(STRIDES):
        scores, distances, offsets = outputs[level::3]
        kept = np.flatnonzero(scores >= least)
        points = corners_of(kept // ANCHORS, canvas[1], stride)
        landmarks = points[:, None] + offsets[kept].reshape(-1, 5, 2) * np.float32(stride)
        levels.append((beside(points, distances[kept] * np.float32(stride)), scores[kept, 0], landmarks))
    return gathered(levels)


def shapes(canvas: tuple[int, int]) -> list[tuple[int, ...]]:
    """Of the outputs for one picture."""
    return rows(canvas, ANCHORS, (1, 4, 10))


FAMILY = Family(
    "scrfd",
    "InsightFace's SCRFD, with landmarks",
    decode,
    shapes,
    model="500m",
    score_threshold=0.5,
    nms_threshold=0.4,
    one_scale=True,
    inclusive=True,
    multi_scale="auto",
)


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """SCRFD."""
    yield FAMILY.plugin()
