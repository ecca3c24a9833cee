"""Haar: OpenCV's frontal-face cascade; old and quick, no landmarks.

P. Viola, M. Jones, "Rapid object detection using a boosted cascade of simple features", CVPR 2001; the trained cascade
is the haarcascade_frontalface_default.xml that opencv-python carries.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facecli.contract import DetectorPlugin, Parameters, Runtime, hookimpl
from facecli.errors import PluginError, UsageError
from facecli.types import Detections, Image

CASCADE = "haarcascade_frontalface_default.xml"
LARGEST = 2**31 - 1  # OpenCV counts in int32
DEFAULTS = {"scale_factor": 1.1, "min_neighbors": 5, "min_size": 30}


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """The Haar cascade."""
    yield DetectorPlugin("haar", "OpenCV's Haar cascade, no landmarks", _load, landmarks=False, parameters=DEFAULTS)


def _load(_runtime: Runtime, parameters: Parameters) -> Haar:
    return Haar(**DEFAULTS | dict(parameters))


class Haar:
    """The cascade. scale_factor, min_neighbors, min_size (px) are detectMultiScale's."""

    def __init__(self, scale_factor: float, min_neighbors: int, min_size: int) -> None:
        whole = isinstance(min_neighbors, int) and isinstance(min_size, int)
        if not (whole and scale_factor > 1 and 0 <= min_neighbors <= LARGEST and 1 <= min_size <= LARGEST):
            hint = "scale_factor > 1, min_neighbors >= 0 and min_size >= 1, both whole numbers"
            raise UsageError("haar can not work with these parameters", hint=hint)
        import cv2

        if not hasattr(cv2, "CascadeClassifier"):
            hint = 'pip install "opencv-python-headless<5"'
            raise PluginError(f"haar needs OpenCV below 5, {cv2.__version__} has no CascadeClassifier", hint=hint)
        path = Path(cv2.__file__).parent / "data" / CASCADE
        self._cascades = threading.local()  # a CascadeClassifier keeps state while it runs
        self._make: Callable[[], Any] = lambda: cv2.CascadeClassifier(str(path))
        self._scale_factor, self._min_neighbors, self._min_size = scale_factor, min_neighbors, min_size

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One Detections per picture. Scores are squashed level weights: they order faces and mean nothing more."""
        return [self._detect(image) for image in images]

    def _detect(self, image: Image) -> Detections:
        import cv2

        if not hasattr(self._cascades, "own"):
            self._cascades.own = self._make()
        boxes, _, weights = self._cascades.own.detectMultiScale3(
            cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY),
            scaleFactor=self._scale_factor,
            minNeighbors=self._min_neighbors,
            minSize=(self._min_size, self._min_size),
            outputRejectLevels=True,
        )
        if len(boxes) == 0:
            return Detections.empty(landmarks=False)
        scores = (1 / (1 + np.exp(-np.asarray(weights).reshape(-1) / 2))).astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        corners = np.asarray(boxes, np.float32)[order]
        corners[:, 2:] += corners[:, :2]
        return Detections(corners, scores[order])
