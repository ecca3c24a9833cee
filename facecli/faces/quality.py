"""Quality of a picture of a face, measured without a model: size, sharpness, light, contrast and pose.

The worst property decides: a sharp face in the dark is as useless as a blurred one in the light.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.faces.pose import Pose
from facecli.types import Detections, FloatArray, Image, UInt8Array

SIDE = 112  # px; most recognizers see a face at this size
CROP = CropSpec(SIDE, SIDE, square=True)

# A property at or above its limit is as good as needs be. The limits were chosen by eye; there is no standard for them.
ENOUGH_SHARPNESS = 100.0
ENOUGH_CONTRAST = 0.15
# Brightness: useless below the first and above the last of the four numbers, good between the inner two.
DARK, LIGHT = (0.05, 0.25), (0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of one face.

    score: 0 to 1, of its worst property. size: px, the geometric mean of the bbox's sides, None without a bbox.
    sharpness: variance of the Laplacian of the grey face at 112x112 px. brightness: mean luma, 0 to 1. contrast:
    standard deviation of the luma, 0 to 0.5. frontality: 1 for a face that looks at the camera, 0 in profile and
    beyond, None without landmarks.
    """

    score: float
    size: float | None
    sharpness: float
    brightness: float
    contrast: float
    frontality: float | None


def measure(image: Image, detections: Detections | None, poses: Sequence[Pose | None]) -> list[Quality]:
    """Return the quality of each face.

    detections: None if the whole picture is the one face. poses: of each face, None without landmarks.
    """
    if detections is None:
        return [_quality(cutting.whole(image, CROP)[0], None, poses[0])]
    sides = (detections.bboxes[:, 2:] - detections.bboxes[:, :2]).clip(0)
    crops = cutting.cut(image, detections, CROP)
    return [_quality(*face) for face in zip(crops, np.sqrt(sides.prod(1)), poses, strict=True)]


def _quality(crop: UInt8Array, size: float | None, pose: Pose | None) -> Quality:
    """Return the quality of a face. crop: (112, 112, 3) uint8 RGB. size: px, as in Quality."""
    grey: FloatArray = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.float32)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    brightness, contrast = float(grey.mean()) / 255, float(grey.std()) / 255
    frontality = None if pose is None else _frontality(pose)
    worst = min(
        1.0 if size is None else size / SIDE,
        sharpness / ENOUGH_SHARPNESS,
        (brightness - DARK[0]) / (DARK[1] - DARK[0]),
        (LIGHT[1] - brightness) / (LIGHT[1] - LIGHT[0]),
        contrast / ENOUGH_CONTRAST,
        1.0 if frontality is None else frontality,
    )
    score, size = min(max(float(worst), 0.0), 1.0), None if size is None else float(size)
    return Quality(score, size, sharpness, brightness, contrast, frontality)


def _frontality(pose: Pose) -> float:
    """Return the cosine of the angle between the direction of the face and the camera, at least 0; roll is no harm."""
    return max(0.0, math.cos(math.radians(pose.yaw)) * math.cos(math.radians(pose.pitch)))
