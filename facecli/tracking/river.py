"""The river of a film: frames to faces, to tracks, to events, in order and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from facecli.contract import Tracker
from facecli.errors import FacecliError
from facecli.film.frame import Excerpt, FilmFacts, Frame
from facecli.pipeline.flow import Stopwatch
from facecli.tracking.events import (
    BestFace,
    Event,
    FrameSeen,
    SeenFace,
    StreamEnded,
    StreamStarted,
    TrackEnded,
    TrackJoined,
    TrackStarted,
)
from facecli.tracking.finding import Finding
from facecli.tracking.joining import Distances, Member, joins
from facecli.tracking.looks import Looks, look_at, quality_of
from facecli.tracking.moods import Moods
from facecli.tracking.naming import Naming, Recognizing
from facecli.tracking.tracklet import Tracklet
from facecli.types import Detections, Tracked

MOST_LOOKS = 3  # of a track, that are embedded


class Source(Protocol):
    """A film that is read; film.reading.Film is one. short: it ended earlier than it states. dropped: frames lost."""

    facts: FilmFacts
    short: bool
    dropped: int

    def frames(self, excerpt: Excerpt | None = None) -> Iterator[Frame]:
        """Yield the frames of an excerpt."""


@dataclass(frozen=True, slots=True)
class Joining:
    """A rule that joins tracks by their faces. threshold: the largest mean distance that is one person."""

    distances: Distances
    threshold: float


@dataclass(frozen=True, slots=True)
class Crew:
    """All that works on one film. image: whether the tracker looks at the frames. None leaves a part out."""

    finding: Finding
    tracker: Tracker
    clock: Stopwatch
    image: bool = False
    recognizing: Recognizing | None = None
    joining: Joining | None = None
    naming: Naming | None = None
    moods: Moods | None = None


class River:
    """One film on its way to events."""

    def __init__(self, film: Source, crew: Crew) -> None:
        self._film, self._crew, self._source = film, crew, film.facts.source
        self._living: dict[int, Tracklet] = {}
        self._ended: list[Member] = []
        self._frames = self._detected = self._boxes = self._tracks = 0
        self._latest = 0.0
        self._joined = 0

    def events(self, excerpt: Excerpt | None = None) -> Iterator[Event]:
        """Yield the events of the film, the last one with what went wrong. Raises what no film can help, as a model."""
        yield StreamStarted(self._film.facts)
        error: FacecliError | None = None
        try:
            with closing(self._film.frames(excerpt)) as frames:  # type: ignore[type-var] # they are generators
                while (frame := self._next(frames)) is not None:
                    yield from self._frame(frame)
        except FacecliError as failure:
            if failure.exit_code != 1:
                raise
            error = failure
        for tracklet in list(self._living.values()):
            yield from self._end(tracklet)
        yield from self._join()
        yield self._summary(error)

    def _next(self, frames: Iterator[Frame]) -> Frame | None:
        with self._crew.clock("decode"):
            return next(frames, None)

    def _frame(self, frame: Frame) -> Iterator[Event]:
        crew, image = self._crew, frame.image
        faces, detected = crew.finding.find(image)
        seconds = frame.time - self._latest if self._frames else 0.0
        with crew.clock("track"):
            tracked = crew.tracker.update(faces, seconds, image if crew.image else None)
        self._latest, self._frames = frame.time, self._frames + 1
        self._detected += detected
        self._boxes += len(faces)
        yield from self._seen(frame, faces, tracked, detected=detected)
        alive = {*tracked.ids.tolist(), *tracked.lost_ids.tolist()}
        for number in [number for number in self._living if number not in alive]:
            yield from self._end(self._living[number])
        yield from self._asked(frame, faces, tracked)
        yield FrameSeen(
            self._source, frame.number, frame.time, _faces(faces, tracked, detected=detected), detected, image.pixels
        )

    def _seen(self, frame: Frame, faces: Detections, tracked: Tracked, *, detected: bool) -> Iterator[Event]:
        """Take the faces of a frame to their tracks."""
        for row, number in enumerate(tracked.ids.tolist()):
            one = self._living.get(number)
            if one is None:
                one = self._living[number] = Tracklet(number, frame.number, frame.time, Looks(MOST_LOOKS))
                self._tracks += 1
                score, bbox = float(faces.scores[row]), faces.bboxes[row]
                yield TrackStarted(self._source, number, frame.number, frame.time, bbox, score)
            one.last_frame, one.last_time, one.frames = frame.number, frame.time, one.frames + 1
            quality = quality_of(faces.bboxes[row], float(faces.scores[row]))
            if (detected and one.looks.wants(quality, frame.time)) or not one.looks.best:
                one.looks.add(look_at(frame.image, faces, row, frame.number, frame.time))

    def _asked(self, frame: Frame, faces: Detections, tracked: Tracked) -> Iterator[Event]:
        """Ask who the faces of a frame are, and how."""
        crew, here = self._crew, tracked.ids.tolist()
        if crew.naming is not None:
            yield from crew.naming.step([self._living[number] for number in here], frame.number, frame.time)
        if (moods := crew.moods) is not None:
            due = [(row, number) for row, number in enumerate(here) if moods.due(number, frame.time)]
            looks = [(number, look_at(frame.image, faces, row, frame.number, frame.time)) for row, number in due]
            yield from moods.step(looks)

    def _end(self, one: Tracklet) -> Iterator[Event]:
        crew = self._crew
        del self._living[one.number]
        if crew.naming is not None:
            yield from crew.naming.end(one)
        elif crew.recognizing is not None:
            crew.recognizing.embed_all([one])
        if one.embeddings and crew.joining is not None:
            self._ended.append(Member(one.number, one.first_frame, one.last_frame, one.templates()))
        best = one.looks.best[0]
        assert best.result.image is not None
        yield TrackEnded(
            self._source,
            one.number,
            one.last_frame,
            one.last_time,
            one.first_frame,
            one.first_time,
            one.frames,
            BestFace(best.frame, best.time, best.bbox, best.quality, best.result.image.pixels),
            one.answer,
            crew.moods.end(one.number) if crew.moods is not None else {},
            one.mean(),
        )

    def _join(self) -> Iterator[Event]:
        if self._crew.joining is None:
            return
        found = joins(self._ended, self._crew.joining.distances, self._crew.joining.threshold)
        self._joined = len(found)
        for one in found:
            yield TrackJoined(self._source, one.number, one.into, self._latest, one.distance)

    def _summary(self, error: FacecliError | None) -> StreamEnded:
        recognizing = self._crew.recognizing
        return StreamEnded(
            source=self._source,
            frames=self._frames,
            detected_frames=self._detected,
            dropped=self._film.dropped,
            boxes=self._boxes,
            embedded=0 if recognizing is None else recognizing.embedded,
            tracks=self._tracks,
            people=self._tracks - self._joined,
            warning="short" if self._film.short and error is None else None,
            error=error,
            seconds=dict(self._crew.clock.seconds),
        )


def _faces(faces: Detections, tracked: Tracked, *, detected: bool) -> tuple[SeenFace, ...]:
    return tuple(
        SeenFace(
            int(tracked.ids[row]),
            faces.bboxes[row],
            float(faces.scores[row]),
            None if faces.landmarks is None else faces.landmarks[row],
            bool(tracked.confirmed[row]),
            filled=not detected,
        )
        for row in range(len(faces))
    )
