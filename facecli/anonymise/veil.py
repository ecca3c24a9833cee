"""A veil over a face: coarse cells, a blur, or one colour, measured by the face and not in pixels.

Cells of so many pixels hide a small face and give a large one away. Here a face has the same few cells at any size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from facecli.errors import UsageError
from facecli.types import BoolArray, FloatArray, UInt8Array

METHODS = ("pixelate", "blur", "mask")
SHAPES = ("box", "ellipse")
LEAST_CELL = 8.0  # px: of a small face, which is coarse already, finer cells would leave too much
SIGMA = 0.6  # of a cell: the standard deviation of the blur, which then shows as little as the cells do
FINE = 3  # px of the reduced picture of a blur for each cell
Place = tuple[int, int, int, int]  # left, top, right, bottom: whole px inside the picture


@dataclass(frozen=True, slots=True)
class Veil:
    """A veil, the same for all faces.

    method: one of METHODS. cells: across the longer side of a face's box; a blur is as coarse as they are. margin: part
    of the box's sides that is covered beyond the box on each side: an outline is half a face. shape: one of SHAPES; an
    ellipse touches the middles of that part's sides. Raises UsageError for what is no veil.
    """

    method: str = "pixelate"
    cells: int = 6
    margin: float = 0.2
    shape: str = "box"

    def __post_init__(self) -> None:
        for setting, value, known in (("method", self.method, METHODS), ("shape", self.shape, SHAPES)):
            if value not in known:
                message = f"there is no {{{setting}}} {value!r:.40}"
                raise UsageError(message, hint=f"use {', '.join(known)}", about=setting)
        if not 1 <= self.cells <= 64:
            raise UsageError(f"{{cells}} must lie within 1 and 64, got {self.cells}", about="cells")
        if not 0 <= self.margin <= 2:
            raise UsageError(f"{{margin}} must lie within 0 and 2, got {self.margin}", about="margin")

    def lay(self, pixels: UInt8Array, bboxes: Iterable[FloatArray]) -> None:
        """Cover faces in place. pixels: (H, W, 3) uint8. bboxes: (4,) xyxy px each, inside the picture or not."""
        for bbox in bboxes:
            place = self.place(bbox, pixels.shape[1], pixels.shape[0])
            if place is not None:
                left, top, right, bottom = place
                part = pixels[top:bottom, left:right]
                kept = None if self.shape == "box" else (part.copy(), self._beside(bbox, place))
                self._cover(part, float(max(bbox[2:] - bbox[:2])) / self.cells)
                if kept is not None:
                    part[kept[1]] = kept[0][kept[1]]

    def place(self, bbox: FloatArray, width: int, height: int) -> Place | None:
        """Return the part of a picture of this size, px, that is covered for a face; None if it lies outside."""
        beyond = self.margin * (bbox[2:] - bbox[:2])
        left, top = np.floor(np.clip(bbox[:2] - beyond, 0, (width, height))).astype(int).tolist()
        right, bottom = np.ceil(np.clip(bbox[2:] + beyond, 0, (width, height))).astype(int).tolist()
        return (left, top, right, bottom) if right > left and bottom > top else None

    def _beside(self, bbox: FloatArray, place: Place) -> BoolArray:
        """Return which pixels (h, w) of a covered part lie beside the ellipse in it."""
        left, top, right, bottom = place
        centre, halves = (bbox[:2] + bbox[2:]) / 2, (bbox[2:] - bbox[:2]) * (0.5 + self.margin)
        x = (np.arange(left, right) + 0.5 - centre[0]) / halves[0]
        y = (np.arange(top, bottom) + 0.5 - centre[1]) / halves[1]
        return np.asarray(x[None] ** 2 + y[:, None] ** 2 > 1)

    def _cover(self, part: UInt8Array, cell: float) -> None:
        """Cover a part of a picture in place. cell: px."""
        if self.method == "mask":
            part[:] = 0
            return
        height, width = part.shape[:2]
        fine = 1 if self.method == "pixelate" else FINE
        few = tuple(max(1, round(side * fine / max(cell, LEAST_CELL))) for side in (width, height))
        small = cv2.resize(part, few, interpolation=cv2.INTER_AREA)
        if self.method == "blur":
            small = cv2.GaussianBlur(small, (0, 0), SIGMA * FINE, borderType=cv2.BORDER_REPLICATE)
        back = cv2.INTER_NEAREST if self.method == "pixelate" else cv2.INTER_CUBIC
        part[:] = cv2.resize(small, (width, height), interpolation=back)
