"""The events of a film that is tracked, as frozen values in the order in which they happen.

Times are seconds since the film's begin, boxes (4,) float32 xyxy px of the upright frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from facecli.errors import FacecliError
from facecli.film.frame import FilmFacts, Gap
from facecli.gallery.decision import Identification
from facecli.types import FloatArray, UInt8Array


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """A film was opened."""

    facts: FilmFacts


@dataclass(frozen=True, slots=True)
class StreamGap:
    """A live source broke off; see facecli.film.frame.Gap."""

    source: str
    gap: Gap


@dataclass(frozen=True, slots=True, eq=False)
class TrackStarted:
    """A face was seen for the first time. score: the detector's."""

    source: str
    track: int
    frame: int
    time: float
    bbox: FloatArray
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face in one frame. filled: its box comes from the frames around, not from the detector."""

    track: int
    bbox: FloatArray
    score: float
    landmarks: FloatArray | None
    confirmed: bool
    filled: bool


@dataclass(frozen=True, slots=True, eq=False)
class FrameSeen:
    """All faces of one frame. detected: whether the detector has looked at it. pixels: of the frame, upright RGB."""

    source: str
    frame: int
    time: float
    faces: tuple[SeenFace, ...]
    detected: bool
    pixels: UInt8Array = field(repr=False)


@dataclass(frozen=True, slots=True)
class TrackIdentified:
    """Who a track is was decided, or decided anew. crops: faces that were looked at. replaces: the name before."""

    source: str
    track: int
    frame: int
    time: float
    answer: Identification
    crops: int
    replaces: str | None


@dataclass(frozen=True, slots=True)
class TrackAttribute:
    """The likeliest label of an attribute has changed. window: seconds that were averaged; samples: faces in them."""

    source: str
    track: int
    time: float
    attribute: str
    label: str
    probabilities: Mapping[str, float]
    window: float
    samples: int


@dataclass(frozen=True, slots=True)
class TrackJoined:
    """A track was found to be the same person as an earlier one. distance: mean one between their faces."""

    source: str
    track: int
    into: int
    time: float
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class BestFace:
    """The best look at a face. pixels: the face with its surroundings, RGB. quality: higher is better."""

    frame: int
    time: float
    bbox: FloatArray
    quality: float
    pixels: UInt8Array = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class TrackEnded:
    """A face was seen for the last time at `time`.

    first_frame, first_time: of its begin. frames: in which it was detected. answer: who it is; None without a gallery.
    attributes: attribute -> label -> mean probability. embedding: (D,) float32, the mean of its best faces, or None.
    further: the next best looks, as many as were asked for.
    """

    source: str
    track: int
    frame: int
    time: float
    first_frame: int
    first_time: float
    frames: int
    best: BestFace
    answer: Identification | None = None
    attributes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    embedding: FloatArray | None = None
    further: tuple[BestFace, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """A film ended. dropped: frames of a live film that came too quickly. embedded: faces that a recognizer was given.

    boxes: faces in all frames. people: tracks that are not joined into others. warning: "short" if the film states a
    longer duration. error: the reason why it could not be read to its end. seconds: stage -> seconds spent.
    """

    source: str
    frames: int
    detected_frames: int
    dropped: int
    boxes: int
    embedded: int
    tracks: int
    people: int
    warning: str | None
    error: FacecliError | None
    seconds: Mapping[str, float]


Event = (
    StreamStarted
    | StreamGap
    | TrackStarted
    | FrameSeen
    | TrackIdentified
    | TrackAttribute
    | TrackJoined
    | TrackEnded
    | StreamEnded
)
