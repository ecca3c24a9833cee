"""Cutting faces out of pictures as a model's CropSpec describes it.

The host cuts all crops; no plugin does. There are three ways, because a model wants the crops of its project: aligned
by landmarks, warped from the bbox, or resized from whole pixels of the bbox.
"""

from __future__ import annotations

import numpy as np

from facecli.contract import CropSpec
from facecli.crops.resample import padded, resize
from facecli.crops.warp import average, bbox_matrix, warp
from facecli.crops.window import bbox_window, pixels_in
from facecli.geometry import similarity_transform
from facecli.types import Detections, FloatArray, Image, UInt8Array

# Where the five points lie in a face's box, as parts of its width and height: rounded medians of LFW's faces, yunet's
# points in the boxes of haar (benchmarks/usual_points.py).
USUAL_POINTS = ((0.32, 0.39), (0.68, 0.39), (0.5, 0.6), (0.35, 0.77), (0.65, 0.77))


def cut(image: Image, detections: Detections, spec: CropSpec) -> UInt8Array:
    """Return one crop per face: (N, spec.height, spec.width, 3) uint8 RGB, black outside the picture.

    A face without landmarks is aligned by where they usually lie in its box.
    """
    points = usual_points(detections.bboxes) if detections.landmarks is None else detections.landmarks
    crops = np.zeros((len(detections), spec.height, spec.width, 3), np.uint8)
    for index, bbox in enumerate(detections.bboxes):
        if spec.template is not None:
            matrix = similarity_transform(points[index], np.array(spec.template, np.float32))
            crops[index] = warp(image.pixels, matrix, spec)
        elif spec.resample == "warp":
            crops[index] = warp(image.pixels, bbox_matrix(bbox, spec), spec)
        else:
            eyes = _eyes(detections, index) if spec.upright else None
            window = bbox_window(bbox, spec, image.width, image.height)
            crops[index] = _resized(pixels_in(image.pixels, window, eyes), spec)
    return crops


def usual_points(bboxes: FloatArray) -> FloatArray:
    """Return where five landmarks usually lie in boxes (N, 4) xyxy of upright faces: (N, 5, 2) float32 xy, px."""
    corners, sides = bboxes[:, None, :2], (bboxes[:, 2:] - bboxes[:, :2])[:, None]
    return (corners + np.array(USUAL_POINTS, np.float32) * sides).astype(np.float32)


def whole(image: Image, spec: CropSpec) -> UInt8Array:
    """Return the whole picture as one crop (1, H, W, 3) uint8 RGB, for pictures that are crops already."""
    return _resized(image.pixels, spec)[None]


def _eyes(detections: Detections, index: int) -> FloatArray | None:
    """Return the eyes (2, 2) px of a face, image-left first, or None if the detector has not found them."""
    if detections.landmarks is not None:
        return detections.landmarks[index, :2]
    eyes = None if detections.eyes is None else detections.eyes[index]
    return eyes if eyes is not None and np.isfinite(eyes).all() else None


def _resized(pixels: UInt8Array, spec: CropSpec) -> UInt8Array:
    """Return pixels (H, W, 3) resized to the crop, black if there are none."""
    if not pixels.size:
        return np.zeros((spec.height, spec.width, 3), np.uint8)
    if spec.resample == "warp":
        return average(pixels, spec.width, spec.height)
    return (padded if spec.fit == "pad" else resize)(pixels, spec.width, spec.height, spec.resample)
