"""YOLOv5-face: YOLOv5 with five landmarks; three anchor boxes in each cell.

D. Qi et al., "YOLO5Face: Why Reinventing a Face Detector", 2021 (arXiv 2105.12931). There are two layouts.
Most files end in raw maps, (3, H, W, 16) per level: x, y, width, height, object logit, 5 x (x, y), class logit. Some
end in rows (N, 16), one per anchor, whose columns are in px and probabilities already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from facecli.contract import DetectorPlugin, hookimpl
from facecli.plugins.single_shot.candidates import Candidates, Layout
from facecli.plugins.single_shot.cells import STRIDES, boxes_around, corners_of, grids, join_levels, sigmoid
from facecli.plugins.single_shot.family import Family
from facecli.plugins.single_shot.parameters import DetectorParameters
from facecli.plugins.single_shot.plugin import family_plugin
from facecli.types import FloatArray

# Width and height of the anchor boxes, px, level by level: deepcam-cn/yolov5-face, models/yolov5n-0.5.yaml, which its
# other models share.
ANCHORS = np.array(
    [
        [[4, 5], [8, 10], [13, 16]],
        [[23, 29], [43, 55], [73, 105]],
        [[146, 217], [231, 300], [335, 433]],
    ],
    np.float32,
)
OBJECT, CLASS = 4, 15  # columns of the two scores, whose product is the face's


def decode(outputs: Sequence[FloatArray], canvas: tuple[int, int], least: float) -> Candidates:
    """Return the candidates in the raw maps of one picture, in px of the canvas.

    outputs: maps (3, H, W, 16) of logits, one per level. canvas: (height, width) px. least: the least score.
    """
    levels = []
    for output, stride, anchors in zip(outputs, STRIDES, ANCHORS, strict=True):
        rows = output.reshape(-1, 16)
        scores = sigmoid(rows[:, OBJECT])
        likely = np.flatnonzero(scores >= least)  # the class score can only lower it
        scores = scores[likely] * sigmoid(rows[likely, CLASS])
        kept = likely[scores >= least]
        scores = scores[scores >= least]
        rows, cells = rows[kept], len(rows) // len(anchors)
        corners, anchor = corners_of(kept % cells, canvas[1], stride), anchors[kept // cells]
        centres = corners + (sigmoid(rows[:, :2]) * 2 - np.float32(0.5)) * np.float32(stride)
        sides = (sigmoid(rows[:, 2:4]) * 2) ** 2 * anchor
        landmarks = corners[:, None] + rows[:, 5:15].reshape(-1, 5, 2) * anchor[:, None]
        levels.append((boxes_around(centres, sides), scores, landmarks))
    return join_levels(levels)


def shapes(canvas: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the shapes of the maps of one picture, on a canvas of (height, width) px; see decode."""
    return [(ANCHORS.shape[1], *grid, 16) for grid in grids(canvas)]


def decode_rows(outputs: Sequence[FloatArray], _canvas: tuple[int, int], least: float) -> Candidates:
    """Return the candidates in the rows of one picture, in px of the canvas.

    outputs: one array (N, 16), in px of the canvas and probabilities. least: the least score.
    """
    (rows,) = outputs
    scores = rows[:, OBJECT] * rows[:, CLASS]
    kept = np.flatnonzero(scores >= least)
    rows = rows[kept]
    return Candidates(boxes_around(rows[:, :2], rows[:, 2:4]), scores[kept], rows[:, 5:15].reshape(-1, 5, 2))


def shapes_of_rows(canvas: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the shape of the rows of one picture, on a canvas of (height, width) px; see decode_rows."""
    return [(sum(height * width for height, width in grids(canvas)) * ANCHORS.shape[1], 16)]


FAMILY = Family(
    "yolov5-face",
    "YOLOv5 with landmarks",
    Layout(decode, shapes),
    model="n-0.5",
    defaults=DetectorParameters(score_threshold=0.55, nms_threshold=0.5),
    others=dict.fromkeys(("n", "s", "m"), Layout(decode_rows, shapes_of_rows)),
)


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """Yield YOLOv5-face with all its models."""
    yield family_plugin(FAMILY)
