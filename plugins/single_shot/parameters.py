"""The parameters that every single-shot detector has."""

from __future__ import annotations

from dataclasses import dataclass

from facecli.errors import UsageError
from facecli.plugins.single_shot.canvas import GRID

SMALL = 160  # px; a face that fills a picture of this size is an easy one
LARGEST = 8192  # px; a canvas of more would take gigabytes
# Modes of multi_scale. never: one look. always: two looks. free: two looks if the file takes pictures of any size, so
# that the second one is cheap. auto: as free; for a file of one size, two looks if the first may have missed a face.
MODES = ("auto", "free", "always", "never")


@dataclass(frozen=True, slots=True)
class DetectorParameters:
    """The parameters of a single-shot detector.

    size: px, the longer side of the picture that the network sees; a file with a fixed input has its own.
    score_threshold: the least score of a face. Raising it loses faint and blurred faces, lowering it brings objects
    that are none. nms_threshold: the overlap (intersection over union) above which two boxes are of one face.
    multi_scale: one of MODES, when to look a second time at the picture, reduced to small_size px: faces that fill the
    picture are found there. square: fill a whole square with black instead of the picture's own shape.
    """

    score_threshold: float
    nms_threshold: float
    size: int = 640
    multi_scale: str = "never"
    small_size: int = SMALL
    square: bool = False

    def check(self, name: str) -> None:
        """Raise UsageError unless a detector can work with these parameters. name: the detector's."""
        whole = all(isinstance(side, int) and GRID <= side <= LARGEST for side in (self.size, self.small_size))
        sensible = 0 < self.score_threshold <= 1 and 0 < self.nms_threshold <= 1
        if not (whole and self.multi_scale in MODES and sensible):
            hint = f"whole sizes from {GRID} to {LARGEST}, thresholds above 0 and up to 1"
            hint += f", multi_scale {', '.join(MODES)}"
            raise UsageError(f"{name} can not work with these parameters", hint=hint)
