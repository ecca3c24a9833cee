"""Tracks as records: the events of `facecli track`, one record per film, and a row per track."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from facecli.errors import Wording, keyword
from facecli.gallery.decision import Identification
from facecli.output.records import PIXEL_DIGITS, SCORE_DIGITS, Record, embedding, error
from facecli.tracking.events import (
    Event,
    FrameSeen,
    SeenFace,
    StreamEnded,
    StreamGap,
    StreamStarted,
    TrackAttribute,
    TrackEnded,
    TrackIdentified,
    TrackJoined,
    TrackStarted,
)
from facecli.types import FloatArray

TIME_DIGITS = 4  # of seconds
CSV_COLUMNS = (
    *("source", "track", "joined_into", "person", "distance", "first_time", "last_time", "first_frame", "last_frame"),
    *("frames", "best_frame", "best_quality", "crop"),
)


def csv_columns(attributes: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of a CSV. attributes: that are told, each by the label that leads."""
    return (*CSV_COLUMNS, *attributes)


class Films:
    """Turns the events of films into records. embeddings: whether a track's end has its embedding."""

    def __init__(self, *, embeddings: bool = False, wording: Wording = keyword) -> None:
        self._embeddings, self._wording = embeddings, wording

    def event(self, one: Event, crops: Sequence[str] = (), moved: Mapping[str, str] | None = None) -> Record:
        """Return an event as a record.

        crops: the files of a track's faces, for its end. moved: files of the film that have another name now, for the
        film's end.
        """
        name, make = _MAKERS[type(one)]
        source = one.facts.source if isinstance(one, StreamStarted) else one.source
        record = {"event": name, "source": source, **make(one)}
        if isinstance(one, TrackEnded):
            record["crops"] = list(crops)
            record["embedding"] = embedding(one.embedding) if self._embeddings and one.embedding is not None else None
        if isinstance(one, StreamEnded):
            record["error"] = error(one.error, self._wording)
            record["moved"] = dict(moved or {})
        return record

    def film(self, events: Iterable[Record], *, frames: bool = False) -> Record:
        """Return a film as one record, from the records of its events. frames: with the faces of each frame."""
        head: Record = {"gaps": 0}
        seen: list[Record] = []
        tracks: dict[int, Record] = {}
        for one in events:
            kind = one["event"]
            rest = {key: value for key, value in one.items() if key not in ("event", "source")}
            if kind == "frame":
                seen.append(rest)
            elif kind == "stream.started":
                head = {"source": one["source"], **rest, **head}
            elif kind == "stream.gap":
                head["gaps"] = head["gaps"] + 1
            elif kind == "track.ended":
                tracks[one["track"]] = rest | {"joined_into": None}
            elif kind == "track.joined":
                tracks[one["track"]]["joined_into"] = one["into"]
            elif kind == "stream.ended":
                moved = rest.pop("moved")
                for track in tracks.values():
                    track["crops"] = [moved.get(path, path) for path in track["crops"]]
                listed = {"people": rest.pop("people"), "tracks": [tracks[key] for key in sorted(tracks)]}
                head = {"source": one["source"], **head, **rest, **listed} | ({"by_frame": seen} if frames else {})
        return head


def choice(face: str | int | None, min_score: float | None, min_face_size: float | None) -> Record:
    """Return as a record which faces of each frame were followed: whoever reads it must know that there may be others.

    face: the choice among those of a frame, None for all. min_score, min_face_size: as the user set them.
    """
    return {"face": "all" if face is None else str(face), "min_score": min_score, "min_face_size": min_face_size}


def rows(record: Record) -> list[Record]:
    """Return the rows of a CSV: one per track."""
    return [
        {
            "source": record["source"],
            "track": one["track"],
            "joined_into": one["joined_into"],
            "person": (one["person"] or {}).get("name"),
            "distance": (one["person"] or {}).get("distance"),
            "first_time": one["first"]["time"],
            "last_time": one["time"],
            "first_frame": one["first"]["frame"],
            "last_frame": one["frame"],
            "frames": one["frames"],
            "best_frame": one["best"]["frame"],
            "best_quality": one["best"]["quality"],
            "crop": (one["crops"] or [None])[0],
            **_leading(one["attributes"]),
        }
        for one in record["tracks"]
    ]


def table_rows(record: Record) -> list[Record]:
    """Return the rows of a table: one per person, who may have several tracks."""
    people: dict[int, list[Record]] = {}
    for one in record["tracks"]:
        people.setdefault(one["joined_into"] or one["track"], []).append(one)
    return [
        {
            "source": record["source"],
            "person": next(
                (one["person"]["name"] for one in own if one["person"] and one["person"]["name"]), f"#{key}"
            ),
            "from": min(one["first"]["time"] for one in own),
            "to": max(one["time"] for one in own),
            "frames": sum(one["frames"] for one in own),
            "tracks": len(own),
            **_leading(max(own, key=lambda one: one["frames"])["attributes"]),
        }
        for key, own in sorted(people.items())
    ]


def _leading(attributes: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    """Return the label of each attribute that leads."""
    return {name: max(row, key=lambda label: row[label]) for name, row in attributes.items() if row}


def _started(one: StreamStarted) -> Record:
    facts = one.facts
    return {
        "width": facts.width,
        "height": facts.height,
        "rotation": facts.rotation,
        "rate": None if facts.rate is None else round(facts.rate, TIME_DIGITS),
        "duration": None if facts.duration is None else round(facts.duration, TIME_DIGITS),
        "live": facts.live,
        "sound": facts.sound,
        "wall": None if facts.began is None else _wall(facts.began),
        "bytes": facts.size,
        "first_frame": facts.first_frame,
    }


def _gap(one: StreamGap) -> Record:
    gap = one.gap
    return {
        "time": round(gap.time, TIME_DIGITS),
        "wall": _wall(gap.wall),
        "reason": gap.reason,
        "attempt": gap.attempt,
        "retry_in": gap.retry_in,
    }


def _track_started(one: TrackStarted) -> Record:
    return {**_place(one.track, one.frame, one.time), "bbox": _box(one.bbox), "score": round(one.score, SCORE_DIGITS)}


def _frame(one: FrameSeen) -> Record:
    return {
        "frame": one.frame,
        "time": round(one.time, TIME_DIGITS),
        "detected": one.detected,
        "faces": [_face(face) for face in one.faces],
    }


def _face(face: SeenFace) -> Record:
    points = None if face.landmarks is None else [_box(point) for point in face.landmarks]
    return {
        "track": face.track,
        "bbox": _box(face.bbox),
        "score": round(face.score, SCORE_DIGITS),
        "landmarks": points,
        "confirmed": face.confirmed,
        "filled": face.filled,
    }


def _identified(one: TrackIdentified) -> Record:
    place = _place(one.track, one.frame, one.time)
    return {**place, "person": person(one.answer), "crops": one.crops, "replaces": one.replaces}


def _attribute(one: TrackAttribute) -> Record:
    return {
        "track": one.track,
        "time": round(one.time, TIME_DIGITS),
        "attribute": one.attribute,
        "label": one.label,
        "probabilities": _rounded(one.probabilities),
        "window": one.window,
        "samples": one.samples,
    }


def _joined(one: TrackJoined) -> Record:
    distance = round(one.distance, SCORE_DIGITS)
    return {"track": one.track, "into": one.into, "time": round(one.time, TIME_DIGITS), "distance": distance}


def _ended(one: TrackEnded) -> Record:
    best = one.best
    return {
        **_place(one.track, one.frame, one.time),
        "first": {"frame": one.first_frame, "time": round(one.first_time, TIME_DIGITS)},
        "frames": one.frames,
        "person": None if one.answer is None else person(one.answer),
        "attributes": {name: _rounded(row) for name, row in one.attributes.items()},
        "best": {
            "frame": best.frame,
            "time": round(best.time, TIME_DIGITS),
            "bbox": _box(best.bbox),
            "quality": round(best.quality, PIXEL_DIGITS),
        },
    }


def _stream_ended(one: StreamEnded) -> Record:
    return {
        "frames": one.frames,
        "detected_frames": one.detected_frames,
        "dropped": one.dropped,
        "boxes": one.boxes,
        "embedded": one.embedded,
        "tracks": one.tracks,
        "people": one.people,
        "warning": one.warning,
        "seconds": {stage: round(spent, TIME_DIGITS) for stage, spent in one.seconds.items()},
    }


_MAKERS: Mapping[type, tuple[str, Callable[[Any], Record]]] = {
    StreamStarted: ("stream.started", _started),
    StreamGap: ("stream.gap", _gap),
    TrackStarted: ("track.started", _track_started),
    FrameSeen: ("frame", _frame),
    TrackIdentified: ("track.identified", _identified),
    TrackAttribute: ("track.attribute", _attribute),
    TrackJoined: ("track.joined", _joined),
    TrackEnded: ("track.ended", _ended),
    StreamEnded: ("stream.ended", _stream_ended),
}


def person(answer: Identification) -> Record:
    """Return who a track is: the name or null, why it is null, and the candidates."""
    first = answer.candidates[0] if answer.candidates else None
    return {
        "name": answer.person,
        "outcome": answer.outcome,
        "distance": None if first is None else round(first.distance, SCORE_DIGITS),
        "candidates": [
            {"person": one.person, "distance": round(one.distance, SCORE_DIGITS)} for one in answer.candidates
        ],
    }


def _place(track: int, frame: int, time: float) -> Record:
    return {"track": track, "frame": frame, "time": round(time, TIME_DIGITS)}


def _wall(seconds: float) -> str:
    """Return seconds since 1970 as a date and time of ISO 8601, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _box(values: FloatArray) -> list[float]:
    return [round(float(value), PIXEL_DIGITS) for value in values]


def _rounded(row: Mapping[str, float]) -> dict[str, float]:
    return {label: round(value, SCORE_DIGITS) for label, value in row.items()}
