"""One live view: a camera's frames in, and who is on them out. Faces are followed and named as those of a film are."""

from __future__ import annotations

import time
from dataclasses import replace
from hashlib import sha256
from typing import Any

from facecli.api.selection import Request
from facecli.errors import FacecliError
from facecli.film.frame import Frame
from facecli.gallery.admission import new_face
from facecli.gallery.decision import Identification, identify
from facecli.output.records import PIXEL_DIGITS, SCORE_DIGITS
from facecli.output.verifications import DIGITS
from facecli.pictures.memory import from_bytes
from facecli.pipeline.flow import Stopwatch
from facecli.pipeline.opening import opened_groups
from facecli.server.looks import Looks
from facecli.server.people import People
from facecli.server.returning import Returning
from facecli.tracking.events import FrameSeen, TrackAttribute, TrackEnded
from facecli.tracking.tracklet import Tracklet
from facecli.types import FloatArray, Image

NOBODY = Identification(None, "unknown", (), None, None)  # the answer while nobody is enrolled
ATTRIBUTE = "emotion"


class LiveView:
    """Answers the frames of one camera, one after the other, in a thread of the queue."""

    def __init__(self, looks: Looks, people: People) -> None:
        self._looks, self._people = looks, people
        tools = looks.film((ATTRIBUTE,) if ATTRIBUTE in looks.attributes() else ())
        self._flow = tools.engine.flow(Request())
        self._river = tools.river("the live view", self._who, self._revision)
        self._returning = Returning(tools.likeness())
        self._emotions: dict[int, str] = {}
        self._reviewed: set[int] = set()  # tracks whose faces are kept for the review
        self._begun, self._known, self._frames = time.monotonic(), self._revision(), 0

    def answer(self, frame: bytes) -> dict[str, Any]:
        """Return who is on a frame: number, box, person, distance and emotion of each face."""
        self._frames += 1
        answer: dict[str, Any] = {"frame": self._frames, "faces": [], "error": None}
        try:
            for group in opened_groups([from_bytes(frame, f"frame {self._frames}")], self._flow, Stopwatch()):
                (opened,) = group
                if opened.error is not None:
                    raise opened.error
                assert opened.image is not None
                answer |= {"width": opened.width, "height": opened.height, "faces": self._faces(opened.image)}
        except FacecliError as error:
            answer["error"] = error.as_dict()
        return answer

    def _faces(self, image: Image) -> list[dict[str, Any]]:
        """Return the faces of the next frame. Raises FacecliError."""
        revision = self._revision()
        if revision != self._known:  # somebody may have been erased
            self._returning.forget()
            self._known = revision
        seen: FrameSeen | None = None
        for event in self._river.step(Frame(image, self._frames, time.monotonic() - self._begun)):
            match event:
                case FrameSeen():
                    seen = event
                case TrackAttribute():
                    self._emotions[event.track] = event.label
                case TrackEnded():
                    person = None if event.answer is None else event.answer.person
                    self._returning.leave(event.track, person, event.embedding)
                    self._emotions.pop(event.track, None)
                    self._reviewed.discard(event.track)
        assert seen is not None
        living = {one.number: one for one in self._river.living}
        pairs = [(face, living[face.track]) for face in seen.faces]
        answers = _apart([NOBODY if one.answer is None else one.answer for _, one in pairs])
        faces = []
        for (face, one), said in zip(pairs, answers, strict=True):
            self._review(one, said)
            first = said.candidates[0] if said.candidates else None
            faces.append(
                {
                    "track": self._returning.number(one),
                    "bbox": [round(v, PIXEL_DIGITS) for v in face.bbox.tolist()],
                    "score": round(face.score, SCORE_DIGITS),
                    "person": said.person,
                    "outcome": None if one.answer is None else said.outcome,
                    "candidate": None if first is None else first.person,
                    "distance": None if first is None else round(first.distance, DIGITS),
                    "emotion": self._emotions.get(one.number),
                }
            )
        return faces

    def _who(self, embedding: FloatArray) -> Identification:
        """Return who a face is, as the gallery is now."""
        try:
            search = self._looks.search()
        except FacecliError:  # nobody is enrolled
            return NOBODY
        return identify(embedding[None], search.index, search.rule)[0]

    def _revision(self) -> int:
        return self._people.store.revision

    def _review(self, one: Tracklet, said: Identification) -> None:
        """Keep the face of somebody unknown for the review, once for each track."""
        if one.answer is None or said.outcome != "unknown" or one.number in self._reviewed:
            return
        look = one.looks.best[0]
        if look.frame not in one.embeddings:
            return
        self._reviewed.add(one.number)
        result = replace(look.result, embeddings=one.embeddings[look.frame][None])
        assert result.image is not None
        face = new_face(result, sha256(result.image.pixels.tobytes()).digest(), keep_crop=True)
        first = said.candidates[0] if said.near else None
        known = first is not None and first.person not in self._looks.search().index.ignored
        self._people.attempts.add(face, (first.person, first.distance) if first is not None and known else None)


def _apart(answers: list[Identification]) -> list[Identification]:
    """Return the answers about the faces of one frame: nobody is in it twice, and the nearest face has the name."""
    nearest: dict[str, Identification] = {}
    for one in answers:
        if one.person is not None:
            held = nearest.setdefault(one.person, one)
            if one.candidates[0].distance < held.candidates[0].distance:
                nearest[one.person] = one
    return [
        one if one.person is None or nearest[one.person] is one else replace(one, person=None, outcome="taken")
        for one in answers
    ]
