"""How good a picture of a face is, measured without a model: size, sharpness, light, contrast and pose."""

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

SIDE = 112  # px: what most recognizers see of a face
CROP = CropSpec(SIDE, SIDE, square=True)

# From here on up a property is as good as it needs to be. Ours, chosen by looking; no standard says so.
ENOUGH_SHARPNESS = 100.0
ENOUGH_CONTRAST = 0.15
DARK, LIGHT = (0.05, 0.25), (0.75, 0.95)  # brightness: useless below and above, good in between


@dataclass(frozen=True, slots=True)
class Quality:
    """What is known of one face.

    score: 0 to 1, that of its worst property. size: px, the geometric mean of the bbox's sides, None without a bbox.
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
    """One Quality per face; detections is None where the whole picture is the face. poses: one per face."""
    if detections is None:
        return [_quality(cutting.whole(image, CROP)[0], None, poses[0])]
    sides = (detections.bboxes[:, 2:] - detections.bboxes[:, :2]).clip(0)
    crops = cutting.cut(image, detections, CROP)
    return [_quality(*face) for face in zip(crops, np.sqrt(sides.prod(1)), poses, strict=True)]


def _quality(crop: UInt8Array, size: float | None, pose: Pose | None) -> Quality:
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
    known_size = None if size is None else float(size)
    return Quality(min(max(float(worst), 0.0), 1.0), known_size, sharpness, brightness, contrast, frontality)


def _frontality(pose: Pose) -> float:
    """The cosine between where the face looks and the camera; roll does no harm."""
    return max(0.0, math.cos(math.radians(pose.yaw)) * math.cos(math.radians(pose.pitch)))
