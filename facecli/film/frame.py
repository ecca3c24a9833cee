"""A frame of a film with its true time, and what is known of a film before its first frame."""

from __future__ import annotations

from dataclasses import dataclass

from facecli.types import Image

MAX_PIXELS = 100_000_000  # width x height of a frame


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """The head of a film.

    source: the name that the user gave, without secrets. width, height: px of an upright frame. rotation: degrees
    counter-clockwise by which frames are turned to be upright. rate: frames per second as the film states it, None if
    it does not. duration: seconds, None if it is not stated. live: the film goes on whether somebody reads it or not.
    sound: whether there is any.
    """

    source: str
    width: int
    height: int
    rotation: int
    rate: float | None
    duration: float | None
    live: bool
    sound: bool


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
