"""TODO: facecli.plugins.single_shot.candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from facecli.types import FloatArray


@dataclass(frozen=True, slots=True)
class Candidates:
    """Faces before suppression: boxes (N, 4) xyxy, scores (N,) and landmarks (N, 5, 2), float32, in any order."""

    boxes: FloatArray
    scores: FloatArray
    landmarks: FloatArray

    @classmethod
    def join(cls, parts: Sequence[Candidates]) -> Candidates:
        """All of them."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


# Outputs of one picture without their batch axis, canvas (height, width) px, least score -> candidates in canvas px.
Decode = Callable[[Sequence[FloatArray], tuple[int, int], float], Candidates]
# Canvas (height, width) px -> the shapes of those outputs.
Shapes = Callable[[tuple[int, int]], Sequence[tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file's outputs are: how they are read, and what they must look like."""

    decode: Decode
    shapes: Shapes
