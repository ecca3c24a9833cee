"""A detector without a model: it takes the middle of the picture for the face.

That is right for passport-style portraits that were cropped by somebody else, and for nothing more. Copy the shape,
and put your network where `_look` is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from facecli.contract import DetectorPlugin, Parameters, Runtime, hookimpl
from facecli.errors import UsageError
from facecli.types import Detections, FloatArray, Image

# What a user may set, with the defaults. facecli refuses names that are not here, and gives `load` all of them.
PARAMETERS = {"fraction": 0.8, "min_side": 32}

# Where the points lie in the square, as fractions of its side: the order is that of Detections.landmarks, image-left
# first, as somebody who looks at the picture sees it.
POINTS = np.array([[0.32, 0.40], [0.68, 0.40], [0.50, 0.58], [0.36, 0.75], [0.64, 0.75]], np.float32)
SCORE = 0.5  # scores lie in [0, 1]; this detector has no evidence for or against what it says


@hookimpl
def facecli_detectors() -> Iterable[DetectorPlugin]:
    """Describe the detector. This must be quick: no model is loaded, nothing heavy is imported."""
    yield DetectorPlugin(
        name="example-centre",  # the same as the entry point's
        summary="the central square of the picture, for portraits that are cropped already",
        load=_load,
        landmarks=True,  # then every Detections has them, also one without faces
        parameters=PARAMETERS,
    )


def _load(_runtime: Runtime, parameters: Parameters) -> CentreDetector:
    # A real detector would ask for its model here: _runtime.session("my-model").
    return CentreDetector(fraction=parameters["fraction"], min_side=parameters["min_side"])


class CentreDetector:
    """Finds one face in each picture that has some contrast and is not tiny.

    fraction: side of the square, as a part of the picture's shorter side. min_side: px, below which there is no face.
    """

    def __init__(self, fraction: float, min_side: int) -> None:
        if not 0 < fraction <= 1:
            raise UsageError(f"fraction must lie in (0, 1], got {fraction}", hint="try 0.8")
        self._fraction = fraction
        self._min_side = min_side

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One Detections per picture, in order; the pictures of a batch may differ in size."""
        return [self._look(image) for image in images]

    def _look(self, image: Image) -> Detections:
        side = min(image.height, image.width) * self._fraction
        if side < self._min_side or image.pixels.std() < 1:
            return Detections.empty(landmarks=True)
        corner = np.array([image.width - side, image.height - side], np.float32) / 2
        bbox: FloatArray = np.concatenate([corner, corner + np.float32(side)])
        landmarks = corner + POINTS * np.float32(side)
        return Detections(bbox[None], np.full(1, SCORE, np.float32), landmarks[None])
