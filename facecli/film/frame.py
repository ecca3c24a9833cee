"""A frame of a film with its true time, and what is known of a film before its first frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from facecli.types import Image

MAX_PIXELS = 100_000_000  # width x height of a frame


@dataclass(frozen=True, slots=True)
class Display:
    """The way a film's pixels are shown, of the upright frame.

    aspect: width of a pixel by its height. matrix, range, primaries, transfer: of colours, numbers of ITU-T H.273 but
    for the range, FFmpeg's (1 limited, 2 full); None where colours are not converted by them here.
    """

    aspect: Fraction | None = None
    matrix: int | None = None
    range: int | None = None
    primaries: int | None = None
    transfer: int | None = None


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """The head of a film.

    source: the name that the user gave, without secrets. width, height: px of an upright frame. rotation: degrees
    counter-clockwise by which frames are turned to be upright. rate: frames per second as the film states it, None if
    it does not. duration: seconds, None if it is not stated. live: the film goes on whether somebody reads it or not.
    sound: whether there is any. began: seconds since 1970 when a live source was opened, None for a film. size: bytes
    of a file. first_frame: SHA-256 of its first frame's RGB pixels, in hex; both None for what is no file. display: how
    it is shown.
    """

    source: str
    width: int
    height: int
    rotation: int
    rate: float | None
    duration: float | None
    live: bool
    sound: bool
    began: float | None = None
    size: int | None = None
    first_frame: str | None = None
    display: Display = field(default_factory=Display)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame.

    image: upright. number: counted from 0, the first frame that was read. time: seconds since the film's begin, from
    the film's own clock. wall: seconds since 1970 when a live frame came, else None.
    """

    image: Image
    number: int
    time: float
    wall: float | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a film to read.

    start: seconds; earlier frames are left out. duration: seconds, None to the end. max_fps: frames per second at most,
    the others are left out; None for all. max_frames: frames at most, None for all.
    """

    start: float = 0.0
    duration: float | None = None
    max_fps: float | None = None
    max_frames: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A break of a live source.

    time: seconds since its begin. wall: seconds since 1970. reason: one line, without secrets. attempt: how many times
    in a row it was lost or did not open. retry_in: seconds until it is tried again, None if it is not.
    """

    time: float
    wall: float
    reason: str
    attempt: int
    retry_in: float | None


class Choice:
    """The frames of an excerpt, chosen one by one. taken: how many were. over: whether no later one will be."""

    def __init__(self, part: Excerpt) -> None:
        self.part, self.taken, self.over = part, 0, False
        self._end = np.inf if part.duration is None else part.start + part.duration
        self._most = np.inf if part.max_frames is None else part.max_frames
        self._step = 0.0 if part.max_fps is None else 1 / part.max_fps
        self._due = part.start

    def wants(self, time: float) -> bool:
        """Return whether a frame at a time, in seconds, belongs to the excerpt; times ascend."""
        if time >= self._end or self.taken >= self._most:
            self.over = True
        if self.over or time < self._due - 1e-6:
            return False
        if self._step:
            self._due += self._step * (1 + (time - self._due) // self._step)
        self.taken += 1
        return True
