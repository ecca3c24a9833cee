"""Reducing pictures that a detector could only look at with memory or time that nobody expects of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facecli.types import Detections, FloatArray, Image, UInt8Array

LONGEST_SIDE = 65_500  # px; longer pictures are lines, and OpenCV's numbers of 16 bits end there


def reduced(image: Image, most: float) -> tuple[Image, FloatArray]:
    """Return a picture of at most `most` pixels, averaged by areas, and its px per px of the original, along x and y.

    A picture that is small enough stays as it is.
    """
    import cv2

    factor = min(1.0, (most / (image.width * image.height)) ** 0.5, LONGEST_SIDE / max(image.width, image.height))
    if factor == 1.0:
        return image, np.ones(2, np.float32)
    width, height = max(1, int(image.width * factor)), max(1, int(image.height * factor))
    small: UInt8Array = np.asarray(cv2.resize(image.pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return replace(image, pixels=small), np.array([width / image.width, height / image.height], np.float32)


def enlarged(detections: Detections, scale: FloatArray) -> Detections:
    """Return detections in a reduced picture in px of the original. scale: as `reduced` gave it."""
    if (scale == 1).all():
        return detections
    points, eyes = (None if one is None else one / scale for one in (detections.landmarks, detections.eyes))
    boxes = (detections.bboxes.reshape(-1, 2, 2) / scale).reshape(-1, 4)
    return Detections(boxes, detections.scores, points, eyes)
