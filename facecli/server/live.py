"""One live view: a camera's frames in, and who is on them out."""

from __future__ import annotations

import hashlib
from typing import Any

from facecli.errors import FacecliError
from facecli.gallery.decision import Identification
from facecli.gallery.enrolment import new_face
from facecli.output import records
from facecli.output.verifications import DIGITS
from facecli.pictures.memory import from_bytes
from facecli.pipeline.results import ImageResult
from facecli.server.looks import Looks
from facecli.server.people import People
from facecli.server.tracks import Tracks


class LiveView:
    """Answers the frames of one camera, one after the other, in a thread of the queue."""

    def __init__(self, looks: Looks, people: People) -> None:
        self._looks, self._people, self._tracks, self._frames = looks, people, Tracks(), 0
        self._attributes = tuple(name for name in ("emotion",) if name in looks.attributes())

    def answer(self, frame: bytes) -> dict[str, Any]:
        """Return who is on a frame: track, box, person, distance and emotion of each face."""
        self._frames += 1
        head = {"frame": self._frames}
        try:
            result = self._looks.named(from_bytes(frame, f"frame {self._frames}"), self._attributes)
        except FacecliError as error:
            return head | {"faces": [], "error": error.as_dict()}
        answers = self._answers(result)
        boxes = None if result.detections is None else result.detections.bboxes
        tracks = [] if boxes is None else self._tracks.update(boxes)
        faces = []
        for row, track in enumerate(tracks):
            found = answers[row] if answers else None
            track.hear(found)
            if found is not None and found.near and not track.told and len(tracks) == 1:
                self._remember(frame, result, found)
                track.told = True
            faces.append(_face(result, row, found) | {"track": track.id, "person": track.person})
        size = {"width": result.width, "height": result.height}
        return head | size | {"faces": faces, "error": None}

    def _answers(self, result: ImageResult) -> tuple[Identification, ...]:
        try:
            return self._looks.search().answers(result)
        except FacecliError:  # nobody is enrolled yet
            return ()

    def _remember(self, frame: bytes, result: ImageResult, found: Identification) -> None:
        """Keep a face that is nearly somebody's, for the review."""
        sha256, first = hashlib.sha256(frame).digest(), found.candidates[0]
        self._people.attempts.add(new_face(result, sha256, keep_crop=True), first.person, first.distance)


def _face(result: ImageResult, row: int, found: Identification | None) -> dict[str, Any]:
    record = records.face(result, row)
    first = found.candidates[0] if found is not None and found.candidates else None
    return {
        "bbox": record["bbox"],
        "score": record["score"],
        "outcome": None if found is None else found.outcome,
        "candidate": None if first is None else first.person,
        "distance": None if first is None else round(first.distance, DIGITS),
        "emotion": record["emotion"]["label"] if "emotion" in record else None,
    }
