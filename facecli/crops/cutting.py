"""Cutting faces out of a picture as a model's CropSpec says; no plugin does this itself."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from facecli.contract import CropSpec
from facecli.crops.resample import padded, resize
from facecli.errors import PluginError
from facecli.geometry import similarity_transform
from facecli.types import Detections, FloatArray, Image, UInt8Array

LONGEST_SIDE = 32766  # px: OpenCV warps nothing longer
SMALLEST_SCALE = 1e-6  # of a crop; below, any picture is less than a pixel of it


def cut(image: Image, detections: Detections, spec: CropSpec) -> UInt8Array:
    """One crop per face: (N, spec.height, spec.width, 3) uint8 RGB. What lies outside the picture is black.

    Raises PluginError if the spec needs landmarks and the detector gave none.
    """
    if spec.template is not None and detections.landmarks is None:
        raise PluginError("these crops are aligned by landmarks, which the detector does not give")
    crops = np.zeros((len(detections), spec.height, spec.width, 3), np.uint8)
    for index, bbox in enumerate(detections.bboxes):
        if spec.template is not None and detections.landmarks is not None:
            matrix = similarity_transform(detections.landmarks[index], np.array(spec.template, np.float32))
            crops[index] = _warp(image.pixels, matrix, spec)
        elif spec.resample == "warp":
            crops[index] = _warp(image.pixels, _bbox_matrix(bbox, spec), spec)
        else:
            eyes = _eyes(detections, index) if spec.upright else None
            window = _window(bbox, spec, image.width, image.height)
            crops[index] = _fitted(_whole_pixels(image.pixels, window, eyes), spec)
    return crops


def whole(image: Image, spec: CropSpec) -> UInt8Array:
    """The whole picture as the one crop (1, H, W, 3), for pictures that are crops already."""
    return _fitted(image.pixels, spec)[None]


def _eyes(detections: Detections, index: int) -> FloatArray | None:
    """The eyes (2, 2) of a face, image-left first; None where the detector has not found them."""
    if detections.landmarks is not None:
        return detections.landmarks[index, :2]
    eyes = None if detections.eyes is None else detections.eyes[index]
    return eyes if eyes is not None and np.isfinite(eyes).all() else None


def _window(bbox: FloatArray, spec: CropSpec, width: int, height: int) -> tuple[int, int, int, int]:
    """The whole pixels of a bbox crop: left, top, and the right and bottom that are no longer in it."""
    low, high = bbox[:2].astype(np.float64), bbox[2:].astype(np.float64)
    sides = np.maximum(high - low, 1.0)
    grown = np.full(2, sides.max()) if spec.square else sides
    picture = np.array([width, height], np.float64)
    if spec.outside == "shift":  # the crop of MiniFASNet, whose last pixel is inside it
        half = grown * min(1 + 2 * spec.margin, *((picture - 1) / grown)) / 2
        low, high = (low + high) / 2 - half, (low + high) / 2 + half
        moved = np.where(low < 0, low, np.maximum(high - (picture - 1), 0))
        low, high = low - moved, high - moved + 1
    else:
        more = (grown - sides) / 2 + grown * spec.margin
        low, high = low - more, high + more
    # facenet-pytorch cuts at the edges; deepface has half a picture of black around the picture.
    around = picture / 2 if spec.outside == "black" else 0 * picture
    left, top = (int(v) for v in low.clip(-around, picture + around))
    right, bottom = (int(v) for v in high.clip(-around, picture + around))
    return left, top, right, bottom


def _whole_pixels(pixels: UInt8Array, window: tuple[int, int, int, int], eyes: FloatArray | None) -> UInt8Array:
    """The pixels of a window, black outside the picture, turned about its centre until the eyes (2, 2) are level."""
    left, top, right, bottom = window
    part, x, y = _part(pixels, window)
    columns, rows = max(right - left, 0), max(bottom - top, 0)
    if eyes is not None and 0 < max(columns, rows) < LONGEST_SIDE / 2:
        return _turned(pixels, window, eyes)
    if part.shape[:2] == (rows, columns):
        return part
    canvas = np.zeros((rows, columns, 3), np.uint8)
    if part.size:
        canvas[y - top : y - top + part.shape[0], x - left : x - left + part.shape[1]] = part
    return canvas


def _turned(pixels: UInt8Array, window: tuple[int, int, int, int], eyes: FloatArray) -> UInt8Array:
    left, top, right, bottom = window
    columns, rows = right - left, bottom - top
    across, down = (eyes[1] - eyes[0]).tolist()
    # deepface turns a copy that is larger by a half on each side, about that copy's middle pixel.
    far, deep = columns // 2, rows // 2
    centre = (left - far + (columns + 2 * far) // 2, top - deep + (rows + 2 * deep) // 2)
    turn = cv2.getRotationMatrix2D(centre, math.degrees(math.atan2(down, across)), 1.0)
    matrix: NDArray[np.float64] = np.asarray(turn, np.float64)
    part, x, y = _part(pixels, (left - far, top - deep, right + far, bottom + deep))
    if not part.size:
        return np.zeros((rows, columns, 3), np.uint8)
    shift: NDArray[np.float64] = matrix[:, :2] @ np.array([x, y], np.float64) - np.array([left, top], np.float64)
    matrix[:, 2] += shift
    return np.asarray(cv2.warpAffine(part, matrix, (columns, rows), flags=cv2.INTER_CUBIC), np.uint8)


def _part(pixels: UInt8Array, window: tuple[int, int, int, int]) -> tuple[UInt8Array, int, int]:
    """What of a window lies in the picture, and where its left and its top are."""
    height, width = pixels.shape[:2]
    left, right = (min(max(x, 0), width) for x in window[::2])
    top, bottom = (min(max(y, 0), height) for y in window[1::2])
    return pixels[top:bottom, left:right], left, top


def _fitted(pixels: UInt8Array, spec: CropSpec) -> UInt8Array:
    if not pixels.size:
        return np.zeros((spec.height, spec.width, 3), np.uint8)
    if spec.resample == "warp":
        return _area(pixels, spec.width, spec.height)
    return (padded if spec.fit == "pad" else resize)(pixels, spec.width, spec.height, spec.resample)


def _bbox_matrix(bbox: FloatArray, spec: CropSpec) -> NDArray[np.float64]:
    x1, y1, x2, y2 = (float(v) for v in bbox)
    width, height = max(x2 - x1, 1.0), max(y2 - y1, 1.0)
    if spec.square:
        width = height = max(width, height)
    width, height = width * (1 + 2 * spec.margin), height * (1 + 2 * spec.margin)
    scale_x, scale_y = spec.width / width, spec.height / height
    left, top = (x1 + x2 - width) / 2, (y1 + y2 - height) / 2
    return np.array([[scale_x, 0, -left * scale_x], [0, scale_y, -top * scale_y]])


def _warp(pixels: UInt8Array, matrix: NDArray[np.float64], spec: CropSpec) -> UInt8Array:
    """Bilinear warp of the part that the crop shows; a face much larger than the crop is first made smaller by a whole
    factor, so that no pixel is skipped over.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    black = np.zeros((spec.height, spec.width, 3), np.uint8)
    if not SMALLEST_SCALE < scale < np.inf:
        return black
    factor = int(1 / scale) if scale < 0.5 else 1
    part, left, top = _shown(pixels, matrix, factor, spec)
    if not part.size:
        return black
    height, width = part.shape[:2]
    across, down = _factor(width, factor), _factor(height, factor)
    if across > 1 or down > 1:
        columns, rows = width // across, height // down
        part = _area(part[: rows * down, : columns * across], columns, rows)
    # A pixel centre (x + 0.5) / factor of the small picture is at x of the large one.
    grow = np.array([[across, 0, left + (across - 1) / 2], [0, down, top + (down - 1) / 2], [0, 0, 1]])
    warped = cv2.warpAffine(part, matrix @ grow, (spec.width, spec.height), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.uint8)  # OpenCV's types do not say which dtype comes back


def _factor(length: int, factor: int) -> int:
    """How many pixels become one along an axis: `factor` if there are as many, more where OpenCV could not warp."""
    return max(min(factor, length), -(-length // LONGEST_SIDE))


def _area(pixels: UInt8Array, width: int, height: int) -> UInt8Array:
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _shown(pixels: UInt8Array, matrix: NDArray[np.float64], margin: int, spec: CropSpec) -> tuple[UInt8Array, int, int]:
    """The part of the picture that the crop shows, a margin around it, and where its left and its top are."""
    inverse = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0, 1], [spec.width, 0, 1], [0, spec.height, 1], [spec.width, spec.height, 1]]) @ inverse.T
    height, width = pixels.shape[:2]
    left, top = (int(v) for v in np.clip(np.floor(corners.min(0)) - margin, 0, [width, height]))
    right, bottom = (int(v) for v in np.clip(np.ceil(corners.max(0)) + margin, 0, [width, height]))
    return pixels[top:bottom, left:right], left, top
