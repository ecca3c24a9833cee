"""The parameters that every single-shot detector has."""

from __future__ import annotations

from dataclasses import dataclass

from facecli.errors import UsageError
from facecli.plugins.single_shot.canvas import GRID

SIZE = 640  # px; the canvas that most of these networks were published for
SMALL = 160  # px; a face that fills a picture of this size is an easy one
LARGEST = 8192  # px; a canvas of more would take gigabytes
# Modes of multi_scale. never: one look. always: two looks. free: two looks if the file takes pictures of any size, so
# that the second one is cheap. auto: as free; for a file of one size, two looks if the first may have missed a face.
MODES = ("auto", "free", "always", "never")


@dataclass(frozen=True, slots=True)
class DetectorParameters:
    """The parameters of a single-shot detector.

    size, least_size: px, the longer side of the picture as the network sees it. What is larger than size is reduced to
    size, what is smaller than least_size is enlarged to that, what lies between stays as it is; a least_size above size
    counts as size. A file with a fixed input has its own size, and all pictures fill it.
    score_threshold: the least score of a face. Raising it loses faint and blurred faces, lowering it brings objects
    that are none. nms_threshold: the overlap (intersection over union) above which two boxes are of one face.
    multi_scale: one of MODES, when to look a second time at the picture, reduced to small_size px: faces that fill the
    picture are found there. inside_threshold: the share of a box inside a larger and better one above which it is a
    part of that face, for pictures that were looked at twice; 1 keeps all. square: fill a whole square with black
    instead of the picture's own shape.
    """

    score_threshold: float
    nms_threshold: float
    size: int = SIZE
    least_size: int = SIZE
    multi_scale: str = "never"
    small_size: int = SMALL
    inside_threshold: float = 1.0
    square: bool = False

    def check(self, name: str) -> None:
        """Raise UsageError unless a detector can work with these parameters. name: the detector's."""
        sides = self.size, self.least_size, self.small_size
        whole = all(isinstance(side, int) and GRID <= side <= LARGEST for side in sides)
        shares = self.score_threshold, self.nms_threshold, self.inside_threshold
        sensible = all(0 < share <= 1 for share in shares)
        if not (whole and self.multi_scale in MODES and sensible):
            hint = f"whole sizes from {GRID} to {LARGEST}, thresholds above 0 and up to 1"
            hint += f", multi_scale {', '.join(MODES)}"
            raise UsageError(f"{name} can not work with these parameters", hint=hint)
