"""Haar: OpenCV's cascade for frontal faces, which is old and quick and gives no landmarks.

P. Viola, M. Jones, "Rapid object detection using a boosted cascade of simple features", CVPR 2001; the trained cascade
is the haarcascade_frontalface_default.xml that opencv-python carries.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from facecli.contract import DetectorPlugin, Parameters, Runtime, hookimpl
from facecli.errors import PluginError, UsageError
from facecli.plugins.reduction import enlarged, reduced
from facecli.types import Detections, FloatArray, Image, UInt8Array

CASCADE, EYES = "haarcascade_frontalface_default.xml", "haarcascade_eye.xml"
LARGEST = 2**31 - 1  # OpenCV counts in int32
# OpenCV lays out all sizes of a picture at once: for 12 megapixels that takes 0.4 GB with a factor of 1.1, 4 GB with
# 1.01 and ten times as much with 1.001; still closer to 1 it fails on any picture. The cascade's window is 24 px: 1.01
# is a quarter of one. With 1000 one size is left; from 1e8 on OpenCV's numbers overflow, and it hangs or crashes.
SCALE_FACTORS = 1.01, 1000
# Pixels that OpenCV is given at most: larger pictures are reduced, so that it takes about 0.4 GB. Where a picture has
# more than ALONE, no other one is looked at.
MOST_PIXELS, USUAL_STEP, ALONE = 12_000_000, 0.1, 3_000_000
DEFAULTS: Parameters = {"scale_factor": 1.1, "min_neighbors": 5, "min_size": 30, "border": 0.0, "eyes": False}
EYE_SCALE_FACTOR, EYE_MIN_NEIGHBORS = 1.1, 10  # deepface 0.0.103, models/face_detection/OpenCv.py, find_eyes


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """Yield the Haar cascade."""
    yield DetectorPlugin("haar", "OpenCV's Haar cascade, no landmarks", _load, landmarks=False, parameters=DEFAULTS)


def _load(_runtime: Runtime, parameters: Parameters) -> Haar:
    return Haar(**{**DEFAULTS, **parameters})


class Haar:
    """The cascade.

    scale_factor, min_neighbors, min_size (px, of a large picture's reduction): as OpenCV's detectMultiScale has them.
    border: black that is added on each side, in parts of the picture's height and width, so that faces at the edge are
    found, too. eyes: look for the eyes in each face, with a second cascade.

    Raises UsageError for parameters that can not work, PluginError if OpenCV has no cascades (5 and later).
    """

    def __init__(self, scale_factor: float, min_neighbors: int, min_size: int, border: float, eyes: bool) -> None:
        whole = isinstance(min_neighbors, int) and isinstance(min_size, int)
        least, most = SCALE_FACTORS
        in_range = least <= scale_factor <= most and 0 <= min_neighbors <= LARGEST and 1 <= min_size <= LARGEST
        if not (whole and in_range and 0 <= border <= 1):
            hint = f"scale_factor {least} to {most}, min_neighbors >= 0 and min_size >= 1, both whole numbers"
            hint += ", border 0 to 1"
            raise UsageError("haar can not work with these parameters", hint=hint)
        import cv2

        if not hasattr(cv2, "CascadeClassifier"):
            hint = 'pip install "opencv-python-headless<5"'
            raise PluginError(f"haar needs OpenCV below 5, {cv2.__version__} has no CascadeClassifier", hint=hint)
        folder = Path(cv2.__file__).parent / "data"
        self._cascades = threading.local()  # a CascadeClassifier keeps state while it runs
        self._make: Callable[[str], Any] = lambda name: cv2.CascadeClassifier(str(folder / name))
        self._scale_factor, self._min_neighbors, self._min_size = scale_factor, min_neighbors, min_size
        self._border, self._eyes = border, eyes
        self._most = MOST_PIXELS * min(1.0, (scale_factor - 1) / USUAL_STEP) / (1 + 2 * border) ** 2
        self._alone = threading.Lock()

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return the faces of each picture. Their scores are squashed level weights, good for ordering faces only."""
        found = []
        for image in images:
            small, scale = reduced(image, self._most)
            large = small.width * small.height > ALONE
            with self._alone if large else nullcontext():
                found.append(enlarged(self._detect(small), scale))
                if large:  # a classifier keeps what it has laid out, and each thread has one of its own
                    vars(self._cascades).clear()
        return found

    def _cascade(self, name: str) -> Any:
        """Return this thread's classifier from a file of OpenCV's data folder."""
        if not hasattr(self._cascades, name):
            setattr(self._cascades, name, self._make(name))
        return getattr(self._cascades, name)

    def _detect(self, image: Image) -> Detections:
        """Return the faces of one picture."""
        import cv2

        grey = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY)
        down, across = int(image.height * self._border), int(image.width * self._border)
        framed = cv2.copyMakeBorder(grey, down, down, across, across, cv2.BORDER_CONSTANT, value=[0])
        boxes, _, weights = self._cascade(CASCADE).detectMultiScale3(
            framed,
            scaleFactor=self._scale_factor,
            minNeighbors=self._min_neighbors,
            minSize=(self._min_size, self._min_size),
            outputRejectLevels=True,
        )
        corners, scores = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
        if len(boxes):
            scores = (1 / (1 + np.exp(-np.asarray(weights).reshape(-1) / 2))).astype(np.float32)
            order = np.argsort(-scores, kind="stable")
            corners, scores = np.asarray(boxes, np.float32)[order], scores[order]
            corners[:, 2:] += corners[:, :2]
        eyes = self._eyes_of(np.asarray(framed, np.uint8), corners) if self._eyes else None
        moved = np.array([across, down], np.float32)
        corners -= np.tile(moved, 2)
        return Detections(corners, scores, eyes=None if eyes is None else eyes - moved)

    def _eyes_of(self, grey: UInt8Array, corners: FloatArray) -> FloatArray:
        """Return the eyes (N, 2, 2) xy px of faces, image-left first: the two largest in each, NaN if there are fewer.

        corners: (N, 4) xyxy px, the faces.
        """
        eyes = np.full((len(corners), 2, 2), np.nan, np.float32)
        for pair, (left, top, right, bottom) in zip(eyes, corners.astype(int), strict=True):
            face = grey[top:bottom, left:right]
            boxes = list(self._cascade(EYES).detectMultiScale(face, EYE_SCALE_FACTOR, EYE_MIN_NEIGHBORS))
            two = sorted(boxes, key=lambda box: -box[2] * box[3])[:2]
            if len(two) == 2:
                ordered = two if two[0][0] < two[1][0] else two[::-1]
                # Whole pixels, as in deepface: the angle between the eyes depends on the rounding.
                pair[:] = [(left + x + w // 2, top + y + h // 2) for x, y, w, h in ordered]
        return eyes
