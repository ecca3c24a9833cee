"""Looks at a picture: how large the network sees it, and whether a second, smaller look is worth its time.

Detectors that are trained on crowds miss a face that fills the picture. On a reduced copy it is an easy one.
"""

from __future__ import annotations

from dataclasses import dataclass

from facecli.errors import UsageError
from facecli.geometry import overlap
from facecli.plugins.single_shot.candidates import Candidates
from facecli.plugins.single_shot.parameters import DetectorParameters
from facecli.types import FloatArray

SURE = 0.5  # the score of a face that makes a second look needless, however low the score threshold is
# SCRFD gives a face that fills the picture a faint box, at least as long as half of the picture's longer side. Why a
# second look for such boxes: on 29 pictures (wider_dev) where a face fills the frame beside a small one, detections
# rise from 9 to 28; 7 of 60 ordinary pictures get a needless second look.
FAINT, LARGE = 0.02, 0.5  # the least score of such a box; its longer side, in parts of the picture's
APART = 0.3  # the overlap of two boxes below which they are of two faces


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks at every picture.

    mode: one of parameters.MODES. first, second: (height, width) px that the picture fits in, at most. least: px, the
    longer side to which the first look enlarges a smaller picture. fixed: whether the network takes pictures of one
    size only, which every picture fills. sure: the score of a face that makes a second look needless.
    """

    mode: str
    first: tuple[int, int]
    second: tuple[int, int]
    least: int
    fixed: bool
    sure: float

    def first_of(self, longest: int) -> tuple[int, int]:
        """Return the (height, width) px that a picture fits in at the first look. longest: px, its longer side."""
        if self.fixed:
            return self.first
        side = min(max(longest, self.least), max(self.first))
        return side, side

    @property
    def judges(self) -> bool:
        """True if the candidates of the first look decide on the second, which needs faint ones, too."""
        return self.mode == "auto" and self.fixed

    def least_score(self, threshold: float) -> float:
        """Return the least score of candidates that must be decoded, for a detector with this score threshold."""
        return min(threshold, FAINT) if self.judges else threshold

    def looks_again(self, candidates: Candidates, longest: int) -> bool:
        """Return whether to look a second time.

        candidates: of the first look, in px of the picture. longest: px, the picture's longer side.
        """
        if not self.judges:
            return self.mode == "always" or (self.mode in ("auto", "free") and not self.fixed)
        sure = candidates.scores >= self.sure
        if not sure.any():
            return True
        return _has_missed_face(candidates.boxes[~sure], candidates.boxes[sure], longest)


def plan(parameters: DetectorParameters, fixed: tuple[int, int] | None, name: str) -> Looks:
    """Return the looks of a detector.

    fixed: (height, width) px, if the network takes pictures of one size only. name: of the detector, for errors.

    Raises UsageError if a second look that is always to be taken would not be smaller than the first.
    """
    height, width = fixed or (parameters.size, parameters.size)
    least = min(parameters.least_size, parameters.size)
    longest, small = max(fixed) if fixed else least, parameters.small_size
    mode = parameters.multi_scale
    if small >= longest and mode == "always":
        message = f"{name}.small_size {small} is not below the {longest} px of the first look"
        raise UsageError(message, hint="choose a smaller one, or another multi_scale")
    mode = mode if small < longest else "never"
    second, sure = (min(small, height), min(small, width)), max(SURE, parameters.score_threshold)
    return Looks(mode, (height, width), second, least, fixed is not None, sure)


def _has_missed_face(faint: FloatArray, sure: FloatArray, longest: int) -> bool:
    """Return whether a large box among the faint ones (N, 4) is about no face among the sure ones (M, 4)."""
    large = faint[(faint[:, 2:] - faint[:, :2]).max(1, initial=0) >= LARGE * longest]
    return bool(len(large)) and bool((overlap(large, sure).max(1) < APART).any())
