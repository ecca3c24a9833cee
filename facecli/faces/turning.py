"""Pictures that do not stand upright: turned by quarters, with the faces that are found brought back."""

from __future__ import annotations

import numpy as np

from facecli.types import Detections, FloatArray, Image

TURNS = (90, 180, 270)  # degrees clockwise


def turned(image: Image, degrees: int) -> Image:
    """Return a picture turned clockwise. degrees: a multiple of 90; by 0 it is the picture itself."""
    if not degrees:
        return image
    return Image(np.ascontiguousarray(np.rot90(image.pixels, -(degrees // 90))), image.source)


def restored(detections: Detections, degrees: int, width: int, height: int) -> Detections:
    """Return the faces of a turned picture in px of the picture as it was.

    degrees: by which it was turned, clockwise. width, height: px of the picture as it was. Points keep their order: the
    eye that is image-left where the face stands upright is the first.
    """
    points, eyes = (
        None if array is None else _moved(array, degrees, width - 1, height - 1)  # between the centres of pixels
        for array in (detections.landmarks, detections.eyes)
    )
    corners = _moved(detections.bboxes.reshape(-1, 2, 2), degrees, width, height)
    bboxes = np.concatenate([corners.min(1), corners.max(1)], 1)
    return Detections(bboxes, detections.scores, points, eyes)


def surest(detections: Detections) -> float:
    """Return the score of the face that the detector is surest of, 0 if there is none."""
    return float(detections.scores[0]) if len(detections) else 0.0


def _moved(points: FloatArray, degrees: int, width: float, height: float) -> FloatArray:
    """Return (..., 2) float32 points of a turned picture as points of the picture as it was."""
    x, y = points[..., 0], points[..., 1]
    if degrees == 90:
        x, y = y, height - x
    elif degrees == 180:
        x, y = width - x, height - y
    elif degrees == 270:
        x, y = width - y, x
    return np.stack([x, y], -1).astype(np.float32)
