"""The values that stages hand to each other: a picture, its faces, and the limits of what a picture may cost.

Arrays are checked when a value is made, so that a plugin's mistake is found where it is made. Public for plugins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.errors import ContractError

UInt8Array = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def require_array(name: str, value: object, shape: tuple[int | None, ...], dtype: type[np.generic]) -> None:
    """Raise ContractError unless `value` is an array of this shape and dtype.

    name: of the array, in the error. shape: None stands for any length.
    """
    expected = "(" + ", ".join("N" if n is None else str(n) for n in shape) + ")"
    if not isinstance(value, np.ndarray):
        raise ContractError(f"{name} must be an array {expected} {np.dtype(dtype)}, got {type(value).__name__}")
    fits = value.ndim == len(shape) and all(n is None or n == m for n, m in zip(shape, value.shape, strict=True))
    if not fits or value.dtype != dtype:
        # NumPy makes float64 of means and lists: such numbers need no more than a cast.
        hint = (
            "cast it with .astype(np.float32)" if fits and value.dtype == np.float64 and dtype is np.float32 else None
        )
        raise ContractError(f"{name} must be {expected} {np.dtype(dtype)}, got {value.shape} {value.dtype}", hint=hint)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of what one picture may cost.

    max_pixels: width x height after decoding. max_bytes: of the picture file. timeout: seconds for a URL, in all.
    """

    max_pixels: int = 100_000_000
    max_bytes: int = 256 * 2**20
    timeout: float = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded picture.

    pixels: (H, W, 3) uint8 RGB, EXIF orientation applied. source: the name that the user gave. frames: pictures in the
    file, such as pages or the frames of an animation; this is the first of them. damage: what speaks for damage of the
    file, which was decoded all the same, in one clause; None if nothing does.
    """

    pixels: UInt8Array
    source: str
    frames: int = 1
    damage: str | None = None

    def __post_init__(self) -> None:
        require_array("Image.pixels", self.pixels, (None, None, 3), np.uint8)

    @property
    def height(self) -> int:
        """The height in px."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """The width in px."""
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The faces in one picture, best score first.

    bboxes: (N, 4) float32 xyxy, px of the upright picture, not clipped to it.
    scores: (N,) float32 in [0, 1], descending.
    landmarks: (N, 5, 2) float32 xy px: eye, eye, nose, mouth corner, mouth corner, image-left first. None from a
    detector without landmarks.
    eyes: (N, 2, 2) float32 xy px, image-left first, from a detector that has no other landmarks; NaN for a face without
    eyes. None from any other detector.
    """

    bboxes: FloatArray
    scores: FloatArray
    landmarks: FloatArray | None = None
    eyes: FloatArray | None = None

    def __post_init__(self) -> None:
        count = len(self.bboxes) if isinstance(self.bboxes, np.ndarray) and self.bboxes.ndim else None
        require_array("Detections.bboxes", self.bboxes, (count, 4), np.float32)
        require_array("Detections.scores", self.scores, (count,), np.float32)
        arrays = [self.bboxes, self.scores]
        if self.landmarks is not None:
            require_array("Detections.landmarks", self.landmarks, (count, 5, 2), np.float32)
            arrays.append(self.landmarks)
        if self.eyes is not None:
            require_array("Detections.eyes", self.eyes, (count, 2, 2), np.float32)
        if not all(np.isfinite(a).all() for a in arrays):
            raise ContractError("Detections must be finite, got NaN or infinity")
        if count and (self.scores.min() < 0 or self.scores.max() > 1):
            raise ContractError("Detections.scores must lie in [0, 1]")
        if (np.diff(self.scores) > 0).any():
            raise ContractError("Detections.scores must be descending")

    @classmethod
    def empty(cls, *, landmarks: bool) -> Detections:
        """Return no faces. landmarks: whether the detector gives landmarks at all."""
        points = np.zeros((0, 5, 2), np.float32) if landmarks else None
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), points)

    def __len__(self) -> int:
        return len(self.bboxes)

    def select(self, indices: list[int]) -> Detections:
        """Return the faces at these indices. The indices must ascend, so that the scores still descend."""
        points, eyes = (None if array is None else array[indices] for array in (self.landmarks, self.eyes))
        return Detections(self.bboxes[indices], self.scores[indices], points, eyes)


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """A tracker's answer about one frame: whose each detection is, and where the tracks are that were not detected.

    ids: (N,) int64, of the detections, in their order; each id once. bboxes: (N, 4) float32 xyxy px, where the tracker
    thinks that the faces are: the detections' boxes, smoothed if it smooths. confirmed: (N,) bool, False while the
    tracker still keeps a track back because it may be a false detection. lost_ids: (M,) int64, of the tracks that live
    without a detection in this frame. lost_bboxes: (M, 4) float32 xyxy px, where the tracker thinks that these are.
    """

    ids: IntArray
    bboxes: FloatArray
    confirmed: BoolArray
    lost_ids: IntArray
    lost_bboxes: FloatArray

    def __post_init__(self) -> None:
        require_array("Tracked.ids", self.ids, (None,), np.int64)
        require_array("Tracked.bboxes", self.bboxes, (len(self.ids), 4), np.float32)
        require_array("Tracked.confirmed", self.confirmed, (len(self.ids),), np.bool_)
        require_array("Tracked.lost_ids", self.lost_ids, (None,), np.int64)
        require_array("Tracked.lost_bboxes", self.lost_bboxes, (len(self.lost_ids), 4), np.float32)
        every = np.concatenate([self.ids, self.lost_ids])
        if len(set(every.tolist())) < len(every):
            raise ContractError("Tracked.ids and Tracked.lost_ids must name each track once")
        if not (np.isfinite(self.bboxes).all() and np.isfinite(self.lost_bboxes).all()):
            raise ContractError("boxes of Tracked must be finite, got NaN or infinity")
