"""TODO: facecli.faces.choice."""

from __future__ import annotations

import numpy as np

from facecli.errors import AmbiguousFaceError, NoFaceError, UsageError
from facecli.geometry import areas
from facecli.types import Detections

FACE_CHOICES = ("only", "largest", "center", "score", "all")


def choose(detections: Detections, choice: str, width: int, height: int, source: str) -> list[int]:
    """The indices of the faces that `choice` (only, largest, center, score, all, or an index) means.

    Raises NoFaceError, AmbiguousFaceError (for `only`), UsageError (for an index that is not there).
    """
    count = len(detections)
    if count == 0:
        raise NoFaceError(f"no face found in {source}", hint="try --min-face-size, another --detector, or --no-detect")
    if choice == "all":
        return list(range(count))
    if choice == "only":
        if count > 1:
            raise AmbiguousFaceError(f"{count} faces in {source}, --face only wants one", hint="choose with --face")
        return [0]
    if choice.isdecimal():
        if int(choice) >= count:
            raise NoFaceError(
                f"{source} has no face {choice}, its faces are 0 to {count - 1}", hint="see `facecli detect`"
            )
        return [int(choice)]
    if choice == "largest":
        # Only what lies in the picture counts: the box of a face that its edge cuts off reaches far outside.
        visible = detections.bboxes.clip(0, np.array([width, height, width, height], np.float32))
        return [int(np.argmax(areas(visible)))]
    sides = detections.bboxes[:, 2:] - detections.bboxes[:, :2]
    if choice == "center":
        off = detections.bboxes[:, :2] + sides / 2 - np.array([width / 2, height / 2], np.float32)
        return [int(np.argmin((off**2).sum(1)))]
    return [0]  # score: they are in order of score


def check_face_choice(choice: str) -> str:
    """Return a valid choice; raise UsageError otherwise."""
    # No picture has a billion faces, and int() refuses digits without end.
    index = choice.isascii() and choice.isdecimal() and len(choice) < 10
    if choice not in FACE_CHOICES and not index:
        raise UsageError(f"unknown --face {choice[:40]!r}", hint=f"use {', '.join(FACE_CHOICES)} or an index from 0")
    return choice
