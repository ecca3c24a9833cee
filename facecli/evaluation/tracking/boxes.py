"""Boxes of tracks, and of the true ones, frame by frame: read from MOTChallenge's text, and compared.

A line is `frame, id, left, top, width, height, score, ...`; frames count from 1, and a true box whose score is 0 is one
that nobody has to find.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facecli.assignment import assign
from facecli.errors import UsageError
from facecli.geometry import overlap
from facecli.system.files import read_whole
from facecli.types import FloatArray

MOST_BYTES = 2**28
MOST_FRAMES = 10_000_000
MOST_ID = 2**53  # the last of the whole numbers that have each a float64 of their own
MOST_PIXELS = 10_000_000  # a side or a place, beyond any picture
Ids = NDArray[np.int64]
Similarity = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """All boxes of a film. frames: (N,) from 1. ids: (N,). bboxes: (N, 4) float32 xyxy px. scores: (N,)."""

    frames: Ids
    ids: Ids
    bboxes: FloatArray
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One frame. truth: (G,), tracks: (T,): who is there, counted from 0. alike: (G, T), intersection over union."""

    truth: Ids
    tracks: Ids
    alike: Similarity


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The frames of a film in which anybody is. people, tracks: how many there are in all. frames: how many frames."""

    steps: tuple[Step, ...]
    people: int
    tracks: int
    frames: int

    @property
    def true_boxes(self) -> int:
        """The number of true boxes."""
        return sum(len(step.truth) for step in self.steps)

    @property
    def tracked_boxes(self) -> int:
        """The number of the tracks' boxes."""
        return sum(len(step.tracks) for step in self.steps)


def read(path: Path) -> Boxes:
    """Return the boxes in a file. Raises UsageError for what is no MOTChallenge text, OSError."""
    text = read_whole(path, MOST_BYTES).decode("utf-8-sig", "replace")
    rows = [_numbers(path, number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    table = np.array(rows, np.float64).reshape(-1, 7)
    if len(table) and (table[:, 0].min() < 1 or table[:, 0].max() > MOST_FRAMES):
        raise UsageError(
            f"frames of {path} must count from 1 to {MOST_FRAMES}",
            hint="a line is frame,id,x,y,width,height,confidence",
        )
    whole = table[:, :2] == np.floor(table[:, :2])
    if not whole.all() or (np.abs(table[:, 1]) >= MOST_ID).any():
        hint = f"both are whole numbers, ids below {MOST_ID}"
        raise UsageError(f"{path} has a frame or an id that is none", hint=hint)
    if (np.abs(table[:, 2:6]) > MOST_PIXELS).any():
        raise UsageError(f"{path} has a box beyond any picture", hint=f"pixels go to {MOST_PIXELS}")
    corners = np.hstack([table[:, 2:4], table[:, 2:4] + table[:, 4:6]]).astype(np.float32)
    frames, ids = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    pairs = np.stack([frames, ids], axis=1)
    if len(np.unique(pairs, axis=0)) < len(pairs):
        raise UsageError(f"{path} has one id twice in a frame", hint="are these detections, without tracks?")
    return Boxes(frames, ids, corners, table[:, 6])


def compare(truth: Boxes, tracks: Boxes, least: float) -> Comparison:
    """Return tracks beside the truth.

    least: intersection over union of a match. True boxes with score 0 are left out, and with them the boxes that match
    them better than any other true box.
    """
    people = {int(one): row for row, one in enumerate(np.unique(truth.ids[truth.scores != 0]))}
    found: list[tuple[Ids, Ids, Similarity]] = []
    for frame in np.union1d(truth.frames, tracks.frames):
        true, own = np.flatnonzero(truth.frames == frame), np.flatnonzero(tracks.frames == frame)
        alike = overlap(truth.bboxes[true], tracks.bboxes[own]).astype(np.float64)
        counts = truth.scores[true] != 0
        if not counts.all():
            rows, columns = assign(-np.where(alike >= least, alike, 0.0))
            ignored = columns[(alike[rows, columns] >= least) & ~counts[rows]]
            own, alike = np.delete(own, ignored), np.delete(alike, ignored, axis=1)
        found.append((truth.ids[true[counts]], tracks.ids[own], alike[counts]))
    numbers = {int(one): row for row, one in enumerate(_every(own for _, own, _ in found))}
    steps = tuple(Step(_rows(people, true), _rows(numbers, own), alike) for true, own, alike in found)
    last = max([0, *truth.frames.tolist(), *tracks.frames.tolist()])
    return Comparison(steps, len(people), len(numbers), last)


def _every(parts: Iterable[Ids]) -> list[int]:
    return sorted({one for part in parts for one in part.tolist()})


def _rows(numbers: dict[int, int], ids: Ids) -> Ids:
    return np.array([numbers[int(one)] for one in ids], np.int64)


def _numbers(path: Path, number: int, line: str) -> list[float]:
    parts = line.replace(",", " ").split()
    try:
        values = [float(part) for part in parts[:7]]
    except ValueError:
        values = []
    if len(values) == 6:
        values.append(1.0)
    if len(values) != 7 or not np.isfinite(values).all() or min(values[4:6]) < 0:
        hint = "a line is frame, id, left, top, width, height, score"
        raise UsageError(f"line {number} of {path} is no box: {ascii(line.strip()[:60])[:80]}", hint=hint)
    return values
