"""The best looks at a track's face: few, apart in time, each with its own small picture, so that no frame is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facecli.pipeline.results import ImageResult
from facecli.types import Detections, FloatArray, Image

MARGIN = 1.0  # of the box's sides, on each side: the templates of all recognizers lie within
APART = 0.2  # s between two looks: frames beside each other show the same


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One look at a face.

    result: a small picture with the one face, as the stages take it. bbox: (4,) xyxy px of the frame. quality: the
    detector's score times the square root of the area, px.
    """

    result: ImageResult
    frame: int
    time: float
    bbox: FloatArray
    quality: float

    @property
    def score(self) -> float:
        """The detector's score."""
        assert self.result.detections is not None
        return float(self.result.detections.scores[0])


class Looks:
    """The best looks at one track, at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.best: list[Look] = []  # best first

    def wants(self, quality: float, time: float) -> bool:
        """Return whether a look would be among the best."""
        near = [look.quality for look in self.best if abs(look.time - time) < APART]
        if near:
            return quality > max(near)
        return len(self.best) < self._most or quality > self.best[-1].quality

    def add(self, look: Look) -> None:
        """Take a look that `wants` has let in; those near to it in time, and the worst above the most, leave."""
        apart = [other for other in self.best if abs(other.time - look.time) >= APART]
        self.best = sorted([*apart, look], key=lambda one: -one.quality)[: self._most]


def quality_of(bbox: FloatArray, score: float) -> float:
    """Return the quality of a look: it counts how sure the detector is, and how many pixels there are."""
    width, height = float(bbox[2] - bbox[0]), float(bbox[3] - bbox[1])
    return score * float(np.sqrt(max(width, 0.0) * max(height, 0.0)))


def look_at(image: Image, detections: Detections, row: int, frame: int, time: float) -> Look:
    """Return the look at one face of a frame; its small picture is a copy."""
    box = detections.bboxes[row]
    x1, y1, x2, y2 = _around(box, image.width, image.height)
    shift = np.array([x1, y1], np.float32)
    points, eyes = (None if a is None else (a[row : row + 1] - shift) for a in (detections.landmarks, detections.eyes))
    bboxes = (box - np.tile(shift, 2))[None].astype(np.float32)
    face = Detections(bboxes, detections.scores[row : row + 1].copy(), points, eyes)
    part = Image(np.ascontiguousarray(image.pixels[y1:y2, x1:x2]), image.source)
    result = ImageResult(image.source, part.width, part.height, 1, (0,), detections=face, image=part)
    return Look(result, frame, time, box.copy(), quality_of(box, float(detections.scores[row])))


def _around(box: FloatArray, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the part of a frame around a box, whole px, at least one."""
    sides = box[2:] - box[:2]
    x1, y1 = np.floor(box[:2] - MARGIN * sides).astype(int)
    x2, y2 = np.ceil(box[2:] + MARGIN * sides).astype(int)
    left, top = min(max(int(x1), 0), width - 1), min(max(int(y1), 0), height - 1)
    return left, top, max(min(int(x2), width), left + 1), max(min(int(y2), height), top + 1)
