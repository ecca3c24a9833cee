"""Candidates: what a decoder reads from a network's outputs, and what those outputs look like.

A candidate is a face before suppression: many of them are of one face, and most have a low score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from facecli.types import FloatArray


@dataclass(frozen=True, slots=True)
class Candidates:
    """Faces before suppression: boxes (N, 4) xyxy px, scores (N,) and landmarks (N, 5, 2) px, float32, in any order."""

    boxes: FloatArray
    scores: FloatArray
    landmarks: FloatArray

    @classmethod
    def join(cls, parts: Sequence[Candidates]) -> Candidates:
        """Return all parts as one."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


# Outputs of one picture without their batch axis, canvas (height, width) px, least score -> candidates in canvas px.
Decode = Callable[[Sequence[FloatArray], tuple[int, int], float], Candidates]
# Canvas (height, width) px -> the shapes of one picture's outputs, without their batch axis.
Shapes = Callable[[tuple[int, int]], Sequence[tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a file's outputs: how they are read, and which shapes they must have."""

    decode: Decode
    shapes: Shapes
