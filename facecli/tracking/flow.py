"""Boxes carried from one frame to the next by the optical flow inside them, between two looks of the detector.

Points in the middle of each box are followed forward and back (Z. Kalal et al., "Forward-Backward Error: Automatic
Detection of Tracking Failures", ICPR 2010) with B. D. Lucas and T. Kanade's method; the median shift and the median
change of distances move the box.
"""

from __future__ import annotations

import cv2
import numpy as np

from facecli.types import BoolArray, Detections, FloatArray, Image, UInt8Array

WIDTH = 640  # px of the grey frames that are compared
GRID = 5  # points along each side of a box
MIDDLE = 0.6  # the part of a box's sides that the points lie in: the rest may be background
RETURN = 1.0  # px between a point and where it comes back to, at most
FEWEST = 6  # points that a box is moved by; with fewer it is given up
WINDOW, LEVELS = (15, 15), 3  # px around a point that are compared, and halvings of the frames


class Flow:
    """The flow between the frames of one film."""

    def __init__(self) -> None:
        self._grey: UInt8Array | None = None

    def show(self, image: Image) -> None:
        """Take a frame as the one that the next call of `moved` starts from."""
        self._grey = _grey(image)

    def moved(self, detections: Detections, image: Image) -> Detections:
        """Return the faces of the frame before in the next frame; those that can not be followed are left out."""
        before, after = self._grey, _grey(image)
        self._grey = after
        if before is None or before.shape != after.shape or not len(detections):
            return detections.select([])
        scale = after.shape[1] / image.width
        points = np.concatenate([_grid(box * scale) for box in detections.bboxes])
        there, found = _followed(before, after, points)
        back, again = _followed(after, before, there)
        good = found & again & (np.abs(back - points).max(1) < RETURN)
        kept, moves = [], []
        for row in range(len(detections)):
            part = slice(row * GRID**2, (row + 1) * GRID**2)
            move = _move(points[part][good[part]] / scale, there[part][good[part]] / scale)
            if move is not None:
                kept.append(row)
                moves.append(move)
        return _moved(detections.select(kept), moves)


def _followed(before: UInt8Array, after: UInt8Array, points: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return where points (N, 2) of a grey frame are in the next one, and which of them were found."""
    start = points.copy()
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, start, winSize=WINDOW, maxLevel=LEVELS)
    return np.asarray(there, np.float32), np.asarray(found)[:, 0] == 1


def _grey(image: Image) -> UInt8Array:
    height = max(1, round(image.height * WIDTH / image.width))
    small = image.pixels
    if image.width > WIDTH:
        small = np.asarray(cv2.resize(image.pixels, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def _grid(box: FloatArray) -> FloatArray:
    """Return points (GRID^2, 2) in the middle of a box."""
    centre, sides = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * MIDDLE
    steps = np.linspace(-0.5, 0.5, GRID, dtype=np.float32)
    x, y = np.meshgrid(steps, steps)
    return (centre + np.stack([x.ravel(), y.ravel()], axis=1) * sides).astype(np.float32)


def _move(points: FloatArray, there: FloatArray) -> tuple[FloatArray, FloatArray, float] | None:
    """Return the middle of points (N, 2), their shift (2,) and their growth; None if they are too few."""
    if len(points) < FEWEST:
        return None
    before, after = (np.linalg.norm(part[:, None] - part[None], axis=2) for part in (points, there))
    apart = before > 0
    growth = float(np.median(after[apart] / before[apart]))
    return np.median(points, axis=0), np.median(there - points, axis=0), growth


def _moved(detections: Detections, moves: list[tuple[FloatArray, FloatArray, float]]) -> Detections:
    bboxes, landmarks = detections.bboxes.copy(), detections.landmarks
    landmarks = None if landmarks is None else landmarks.copy()
    for row, (middle, shift, growth) in enumerate(moves):
        bboxes[row] = ((bboxes[row].reshape(2, 2) - middle) * growth + middle + shift).ravel()
        if landmarks is not None:
            landmarks[row] = (landmarks[row] - middle) * growth + middle + shift
    return Detections(bboxes, detections.scores, landmarks)
