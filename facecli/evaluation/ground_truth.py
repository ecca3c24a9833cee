"""The true faces of pictures, read from a JSON file in which the subsets of WIDER FACE have a place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecli.errors import UsageError
from facecli.system import strict_json
from facecli.system.files import read_whole

BOXES = "boxes_xywh"
SUBSETS = ("easy", "medium", "hard")
FORM = f'it must be {{"picture.jpg": {{"{BOXES}": [[x, y, width, height], ...]}}, ...}}'
ALL = "all"
NOBODY = [[0, 0, 0, 0]]  # WIDER FACE's lists mark a picture without faces so; every detection there is wrong
MOST_BYTES = 64 * 2**20  # WIDER FACE's has 4 MB; a parsed one takes twenty times as much memory
# A box may reach beyond its picture by so many px or that part of a side: people round, and guess at cut faces.
BEYOND_PIXELS, BEYOND_PART = 4, 0.01


@dataclass(frozen=True, slots=True, eq=False)
class TrueFaces:
    """The faces of one picture.

    boxes: (N, 4) float64 x, y, width, height in px. subsets: name -> indices of the boxes that the subset counts; one
    that it does not count is ignored there, so that to find it is neither right nor wrong. Only a box that no subset
    counts may be without width or height, as a few of WIDER FACE's are.
    """

    boxes: NDArray[np.float64]
    subsets: Mapping[str, NDArray[np.intp]]

    def check_inside(self, name: str, width: int, height: int) -> None:
        """Raise UsageError for a box that reaches beyond its picture, with the likely slip.

        name: the picture's. width, height: px of the picture as it is shown, upright.
        """
        sides = np.array([width, height, width, height])
        room = np.maximum(BEYOND_PIXELS, BEYOND_PART * sides)
        corners = np.hstack([self.boxes[:, :2], self.boxes[:, :2] + self.boxes[:, 2:]])
        beyond = ((corners < -room) | (corners > sides + room)).any(1)
        if not beyond.any():
            return
        index = int(beyond.argmax())
        x1, y1, x2, y2 = corners[index]
        hint = "are they of this picture, turned upright by its EXIF orientation?"
        if ((self.boxes >= 0) & (self.boxes <= sides + room)).all() and (self.boxes[:, 2:] > self.boxes[:, :2]).all():
            hint = "are these corners? a box is [x, y, width, height]"
        message = f"{name}: box {index} is from {x1:g}, {y1:g} to {x2:g}, {y2:g}, the picture is {width}x{height} px"
        raise UsageError(message, hint=hint)


def read(path: Path) -> dict[str, TrueFaces]:
    """Return the true faces of each picture, by its path relative to the folder of the pictures.

    The file is an object {picture: {"boxes_xywh": [[x, y, width, height], ...], "easy": [indices], "medium": ...,
    "hard": ...}}. If no picture has any of the three subsets, there is one, "all". Raises UsageError, with the name of
    the picture, for a file that is not so.
    """
    try:
        document = strict_json.loads(read_whole(path, MOST_BYTES))
    except OSError as error:
        raise UsageError(f"can not read {path}: {error.strerror or error}", hint="check what it is") from error
    except strict_json.DoubledKeyError as error:
        raise UsageError(f"{path}: {error}", hint="join the two, or leave one out") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON: {error}", hint=FORM) from error
    if not isinstance(document, dict) or not document:
        raise UsageError(f"{path} has no pictures", hint=FORM)
    has_subsets = any(isinstance(entry, dict) and name in entry for entry in document.values() for name in SUBSETS)
    return {name: _picture(entry, f"{path}, {name}", name, subsets=has_subsets) for name, entry in document.items()}


def _picture(entry: Any, place: str, name: str, *, subsets: bool) -> TrueFaces:
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or not name:
        message, hint = f"{place} is outside the {{root}} folder", "name pictures relative to {root}"
        raise UsageError(message, hint=hint, about="root")
    rows = entry.get(BOXES) if isinstance(entry, dict) else None
    if not isinstance(rows, list) or not all(map(_is_box, rows)):
        hint = "each box is [x, y, width, height] in pixels, finite numbers"
        raise UsageError(f"{place} must have a list {BOXES} of four numbers each", hint=hint)
    boxes = np.array(rows, np.float64).reshape(-1, 4)
    if subsets:
        counted = {subset: _indices(entry.get(subset, []), len(boxes), place, subset) for subset in SUBSETS}
    else:
        counted = {ALL: np.arange(0 if rows == NOBODY else len(boxes))}
    faces = TrueFaces(boxes, counted)
    _check_sizes(faces, place, subsets=subsets)
    return faces


def _check_sizes(faces: TrueFaces, place: str, *, subsets: bool) -> None:
    """Raise UsageError for a box that is counted and smaller than a pixel, or that has a negative side."""
    for index, (width, height) in enumerate(faces.boxes[:, 2:]):
        negative = min(width, height) < 0
        if negative or (min(width, height) < 1 and any(index in indices for indices in faces.subsets.values())):
            message = f"{place}: box {index} is {width:g} wide and {height:g} high: nobody can find that face"
            leave_out = subsets and not negative
            hint = f"leave it out of {', '.join(SUBSETS)}" if leave_out else "mend it, or leave it out"
            if 0 < faces.boxes.max() <= 1 and not negative:
                hint = "are these parts of the picture's sides? boxes are in pixels"
            raise UsageError(message, hint=hint)


def _is_box(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 2**31 and math.isfinite(value)


def _indices(value: Any, count: int, place: str, subset: str) -> NDArray[np.intp]:
    if not isinstance(value, list) or not all(type(index) is int and 0 <= index < count for index in value):
        hint = f"there are {count}, counted from 0"
        raise UsageError(f"{place}: {subset} must be a list of indices of {BOXES}", hint=hint)
    return np.unique(np.array(value, np.intp))
