"""Works, but imports OpenCV before it is asked to load."""

import cv2  # noqa: F401

from facecli.contract import DetectorPlugin, hookimpl
from facecli.types import Detections


class SeesNobody:
    def detect(self, images):
        return [Detections.empty(landmarks=False) for _ in images]


@hookimpl
def facecli_detectors():
    yield DetectorPlugin("fake-heavy", "Sees nobody", load=lambda *_: SeesNobody(), landmarks=False)
