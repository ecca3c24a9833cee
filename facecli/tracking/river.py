"""The river of a film: frames to faces, to tracks, to events, in order and in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from facecli.contract import Tracker
from facecli.errors import FacecliError
from facecli.film.frame import Excerpt, FilmFacts, Frame, Gap
from facecli.pipeline.flow import Stopwatch
from facecli.tracking.ahead import Found, found, found_ahead
from facecli.tracking.doubts import Doubt, Doubts
from facecli.tracking.events import (
    BestFace,
    Event,
    FrameSeen,
    SeenFace,
    StreamEnded,
    StreamGap,
    StreamStarted,
    TrackEnded,
    TrackJoined,
    TrackStarted,
)
from facecli.tracking.finding import Finding
from facecli.tracking.joining import Likeness, Member, Place, joins
from facecli.tracking.looks import Look, Looks, look_at, quality_of
from facecli.tracking.moods import Moods
from facecli.tracking.naming import Naming, Recognizing
from facecli.tracking.tracklet import MOST_EMBEDDED, Tracklet
from facecli.types import Detections, FloatArray, Tracked

MOST_JOINED = 3000  # of the latest tracks; comparing all with all takes 144 MB then


class Source(Protocol):
    """A film that is read: film.reading.Film or film.live.Live.

    short: it ended earlier than it states. dropped: frames of a live source that nobody took in time.
    """

    facts: FilmFacts
    short: bool
    dropped: int

    def frames(self, excerpt: Excerpt | None = None) -> Iterator[Frame | Gap]:
        """Yield the frames of an excerpt, and the breaks of a live source."""


@dataclass(frozen=True, slots=True)
class Crew:
    """All that works on one film; None leaves a part out.

    image: whether the tracker looks at the frames. likeness: tells a track that became somebody else, and, with `join`,
    tracks that are one person. crops: how many of its best looks a track's end has. jobs: frames to look at at
    once.
    """

    finding: Finding
    tracker: Tracker
    clock: Stopwatch
    image: bool = False
    recognizing: Recognizing | None = None
    likeness: Likeness | None = None
    join: bool = True
    crops: int = 1
    jobs: int = 1
    naming: Naming | None = None
    moods: Moods | None = None


class River:
    """One film on its way to events. source: the film's name. crew: for this film alone."""

    def __init__(self, source: str, crew: Crew) -> None:
        self._source, self._crew = source, crew
        self._living: dict[int, Tracklet] = {}  # by the tracker's ids
        self._doubts = Doubts()
        self._ended: deque[Member] = deque(maxlen=MOST_JOINED)
        self._frames = self._detected = self._boxes = self._tracks = 0
        self._latest = 0.0
        self._joined = 0

    @property
    def living(self) -> list[Tracklet]:
        """The tracks that go on."""
        return list(self._living.values())

    def events(self, film: Source, excerpt: Excerpt | None = None) -> Iterator[Event]:
        """Yield the events of a film, the last one with what went wrong. Raises what no film can help, as a model."""
        yield StreamStarted(film.facts)
        crew = self._crew
        error: FacecliError | None = None
        try:
            with closing(film.frames(excerpt)) as frames:  # type: ignore[type-var] # they are generators
                # Of what is live the newest frame counts, so nothing is read ahead.
                jobs = 1 if film.facts.live else crew.jobs
                with closing(found_ahead(frames, crew.finding, crew.clock, jobs)) as seen:  # type: ignore[type-var]
                    for one in seen:
                        yield from [StreamGap(self._source, one)] if isinstance(one, Gap) else self._follow(one)
        except FacecliError as failure:
            if failure.exit_code != 1:
                raise
            error = failure
        for key in list(self._living):
            yield from self._end(key)
        yield from self._join()
        yield self._summary(film, error)

    def step(self, frame: Frame) -> Iterator[Event]:
        """Yield the events of the next frame, FrameSeen last. Raises the error of the detector."""
        yield from self._follow(found(frame, self._crew.finding))

    def _follow(self, seen: Found) -> Iterator[Event]:
        crew, frame, faces, detected = self._crew, seen.frame, seen.faces, seen.detected
        image = frame.image
        seconds = frame.time - self._latest if self._frames else 0.0
        with crew.clock("track"):
            tracked = crew.tracker.update(faces, seconds, image if crew.image else None)
        self._latest, self._frames = frame.time, self._frames + 1
        self._detected += detected
        self._boxes += len(faces)
        yield from self._seen(frame, faces, tracked, detected=detected)
        alive = {*tracked.ids.tolist(), *tracked.lost_ids.tolist()}
        for key in [key for key in self._living if key not in alive]:
            yield from self._end(key)
        yield from self._asked(frame, faces, tracked)
        told = self._faces(faces, tracked, detected=detected)
        yield FrameSeen(self._source, frame.number, frame.time, told, detected, image.pixels)

    def _seen(self, frame: Frame, faces: Detections, tracked: Tracked, *, detected: bool) -> Iterator[Event]:
        """Take the faces of a frame to their tracks."""
        self._doubts.note(faces.bboxes, tracked, frame.time)
        for row, key in enumerate(tracked.ids.tolist()):
            if detected and key in self._living and (doubt := self._doubts.about(key)) and doubt.due(frame.time):
                yield from self._asked_again(key, look_at(frame.image, faces, row, frame.number, frame.time), doubt)
            one = self._living.get(key)
            if one is None:
                one = self._living[key] = self._begun(frame, faces.bboxes[row])
                score, bbox = float(faces.scores[row]), faces.bboxes[row]
                yield TrackStarted(self._source, one.number, frame.number, frame.time, bbox, score)
            one.last_frame, one.last_time, one.last_bbox = frame.number, frame.time, faces.bboxes[row]
            one.frames += 1
            quality = quality_of(faces.bboxes[row], float(faces.scores[row]))
            free = detected and not _sure(one, self._doubts.about(key))
            if (free and one.looks.wants(quality, frame.time)) or not one.looks.best:
                one.looks.add(look_at(frame.image, faces, row, frame.number, frame.time))

    def _begun(self, frame: Frame, bbox: FloatArray) -> Tracklet:
        self._tracks += 1
        looks = Looks(max(MOST_EMBEDDED, self._crew.crops))
        return Tracklet(self._tracks, frame.number, frame.time, looks, bbox, bbox)

    def _asked_again(self, key: int, look: Look, doubt: Doubt) -> Iterator[Event]:
        """End a track that is in doubt if a look shows somebody else; end the doubt if the track is alone by now."""
        crew, one, alone = self._crew, self._living[key], doubt.passes(look.time)
        sure = _sure(one, doubt)
        if alone:
            self._doubts.settle(key)
        if crew.likeness is None or crew.recognizing is None or not sure:
            return
        if not alone and look.score < min(other.score for other in sure):
            return  # half hidden, it might look like anybody
        doubt.looked = look.time
        now = Tracklet(0, look.frame, look.time, Looks(1), look.bbox, look.bbox)
        now.looks.add(look)
        crew.recognizing.embed_all([one, now])
        before, after = one.mean(), now.mean()
        if before is not None and after is not None and crew.likeness.differ(before, after):
            self._doubts.settle(key)
            yield from self._end(key)
        elif one.looks.wants(look.quality, look.time):
            one.looks.add(look)
            one.embeddings |= now.embeddings

    def _asked(self, frame: Frame, faces: Detections, tracked: Tracked) -> Iterator[Event]:
        """Ask who the faces of a frame are, and how."""
        crew, here = self._crew, [self._living[key] for key in tracked.ids.tolist()]
        if crew.naming is not None:
            yield from crew.naming.step(here, frame.number, frame.time)
        if (moods := crew.moods) is not None:
            due = [(row, one.number) for row, one in enumerate(here) if moods.due(one.number, frame.time)]
            looks = [(number, look_at(frame.image, faces, row, frame.number, frame.time)) for row, number in due]
            yield from moods.step(looks)

    def _end(self, key: int) -> Iterator[Event]:
        crew, one = self._crew, self._living.pop(key)
        if crew.naming is not None:
            yield from crew.naming.end(one)
        elif crew.recognizing is not None:
            crew.recognizing.embed_all([one])
        mean = one.mean()
        if mean is not None and crew.join:
            places = Place(one.first_time, one.first_bbox), Place(one.last_time, one.last_bbox)
            self._ended.append(Member(one.number, one.first_frame, one.last_frame, mean, len(one.templates()), *places))
        best, *further = map(_best, one.looks.best[: crew.crops])
        yield TrackEnded(
            self._source,
            one.number,
            one.last_frame,
            one.last_time,
            one.first_frame,
            one.first_time,
            one.frames,
            best,
            one.answer,
            crew.moods.end(one.number) if crew.moods is not None else {},
            mean,
            tuple(further),
        )

    def _join(self) -> Iterator[Event]:
        if self._crew.likeness is None:
            return
        found = joins(self._ended, self._crew.likeness)
        self._joined = len(found)
        for one in found:
            yield TrackJoined(self._source, one.number, one.into, self._latest, one.distance)

    def _summary(self, film: Source, error: FacecliError | None) -> StreamEnded:
        recognizing = self._crew.recognizing
        return StreamEnded(
            source=self._source,
            frames=self._frames,
            detected_frames=self._detected,
            dropped=film.dropped,
            boxes=self._boxes,
            embedded=0 if recognizing is None else recognizing.embedded,
            tracks=self._tracks,
            people=self._tracks - self._joined,
            warning="short" if film.short and error is None else None,
            error=error,
            seconds=dict(self._crew.clock.seconds),
        )

    def _faces(self, faces: Detections, tracked: Tracked, *, detected: bool) -> tuple[SeenFace, ...]:
        return tuple(
            SeenFace(
                self._living[key].number,
                faces.bboxes[row],
                float(faces.scores[row]),
                None if faces.landmarks is None else faces.landmarks[row],
                bool(tracked.confirmed[row]),
                filled=not detected,
            )
            for row, key in enumerate(tracked.ids.tolist())
        )


def _sure(one: Tracklet, doubt: Doubt | None) -> list[Look]:
    """Return the looks at a track from before a doubt about it; they alone tell whose it was. None without a doubt."""
    return [] if doubt is None else [look for look in one.looks.best if look.time < doubt.since]


def _best(look: Look) -> BestFace:
    assert look.result.image is not None
    return BestFace(look.frame, look.time, look.bbox, look.quality, look.result.image.pixels)
