"""Choosing among the faces of a picture, as the setting `face` says."""

from __future__ import annotations

import numpy as np

from facecli.errors import AmbiguousFaceError, NoFaceError, UsageError
from facecli.geometry import areas
from facecli.types import Detections

# only: the one face, an error if there are several. score: the one that the detector is surest of.
FACE_CHOICES = ("only", "largest", "center", "score", "all")


def choose(detections: Detections, choice: str, width: int, height: int, source: str) -> list[int]:
    """Return the indices of the faces that are chosen.

    detections: one face at least. choice: one of FACE_CHOICES, or the index of a face. width, height: px, of the
    picture. source: its name in errors.

    Raises NoFaceError for a picture without a face of that index, AmbiguousFaceError for `only` if there are several.
    """
    count = len(detections)
    if choice == "all":
        return list(range(count))
    if choice == "only":
        if count > 1:
            message = f"{count} faces in {source}, {{face}} only wants one"
            raise AmbiguousFaceError(message, hint="choose with {face}", about="face")
        return [0]
    if choice.isdecimal():
        if int(choice) >= count:
            message = f"{source} has no face {choice}, its faces are 0 to {count - 1}"
            raise NoFaceError(message, hint="see `facecli detect`")
        return [int(choice)]
    if choice == "largest":
        # Only the part in the picture counts: the box of a face that the picture's edge cuts off reaches far outside.
        visible = detections.bboxes.clip(0, np.array([width, height, width, height], np.float32))
        return [int(np.argmax(areas(visible)))]
    sides = detections.bboxes[:, 2:] - detections.bboxes[:, :2]
    if choice == "center":
        offsets = detections.bboxes[:, :2] + sides / 2 - np.array([width / 2, height / 2], np.float32)
        return [int(np.argmin((offsets**2).sum(1)))]
    return [0]  # score: Detections are in descending order of it


def check_face_choice(choice: str) -> str:
    """Return the choice; raise UsageError unless it is one of FACE_CHOICES or an index."""
    # No picture has a billion faces, and int() refuses digits without end.
    index = choice.isascii() and choice.isdecimal() and len(choice) < 10
    if choice not in FACE_CHOICES and not index:
        hint = f"use {', '.join(FACE_CHOICES)} or an index from 0"
        raise UsageError(f"unknown {{face}} {choice[:40]!r}", hint=hint, about="face")
    return choice
