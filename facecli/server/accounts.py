"""Signing up and logging in with a face.

Logging in by face is a convenience, not a password: who holds up a photo of somebody may be taken for them. Where a
model against that is installed, it has to agree.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from facecli.errors import DuplicateError, FacecliError, InputError, UsageError
from facecli.gallery import names
from facecli.gallery.admission import new_face
from facecli.gallery.rule import Wish
from facecli.gallery.store.records import Person
from facecli.matching import anti_spoof
from facecli.output.records import Record
from facecli.pictures.memory import from_bytes
from facecli.pictures.sources import Source
from facecli.pipeline.results import ImageResult
from facecli.server import pins
from facecli.server.looks import Looks, Sift
from facecli.server.people import People, shown
from facecli.server.pins import Pins
from facecli.server.refusals import RefusalError
from facecli.types import Limits

STRICT = Wish(fpir=0.001)  # of a thousand strangers one may be taken for somebody
LEAST, MOST = 3, 10  # pictures of one sign-up
VOTES = 3  # pictures of a log-in that must show one person
SMALLEST = 80.0  # px of a face's longer side


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a camera. data: its bytes. result: with one face and its embedding, and the picture kept."""

    data: bytes
    result: ImageResult


class Accounts:
    """People who use the page. Everything here works in a thread of the queue."""

    def __init__(self, looks: Looks, people: People, kept: Pins) -> None:
        self._looks, self._people, self._pins = looks, people, kept

    @property
    def checks_life(self) -> bool:
        """True if a model is installed that tells a face from a photo of one."""
        engine = self._looks.faces.engine
        try:
            anti_spoof.model(engine.loader.registry, engine.loader.store, detect=True)
        except FacecliError:
            return False
        return True

    def sign_up(self, name: str, pictures: Sequence[Source], pin: str = "") -> Record:
        """Make a person of a name and of pictures of one face, in one transaction. pin: empty for none.

        Raises RefusalError for a name or a face that is known already, and for pictures that do not show one person.
        """
        clean = names.clean(name)
        self._check_free(clean)
        if pin:
            pins.check(pin)
        if not LEAST <= len(pictures) <= MOST:
            raise RefusalError(400, "usage", f"{LEAST} to {MOST} pictures are needed, and {len(pictures)} came")
        frames, rejected = self._frames(pictures)
        if len(frames) < LEAST:
            first = rejected[0]["error"]
            message = f"only {len(frames)} of {len(pictures)} pictures can be used: {first['message']}"
            raise RefusalError(422, first["code"] or "input", message, hint="look at the camera, alone and nearer")
        self._check_one_person(frames)
        if (known := self._named([frame.result for frame in frames])) is not None:
            raise RefusalError(409, "conflict", f"this face is {known}'s", hint="log in instead")
        person = self._kept(clean, frames, pin)
        return {"person": person, "pictures": person["pictures"], "rejected": rejected}

    def log_in(self, pictures: Sequence[Source]) -> tuple[Person, bool]:
        """Return who pictures show, and whether a model has seen that it is no photo.

        Raises RefusalError if that is nobody of the gallery, or too few pictures agree, or it looks like a photo.
        """
        if not VOTES <= len(pictures) <= MOST:
            raise RefusalError(400, "usage", f"{VOTES} to {MOST} pictures are needed, and {len(pictures)} came")
        frames, _ = self._frames(pictures)
        name = self._named([frame.result for frame in frames])
        person = None if name is None else self._people.named(name)
        if person is None:
            hint = "look at the camera, alone and nearer, or sign up"
            raise RefusalError(401, "not_recognised", "nobody was recognised", hint=hint)
        checked = self.checks_life
        if checked and not self._alive(frames):
            raise RefusalError(403, "not_live", "this looks like a photo of a face")
        return person, checked

    def needs_pin(self, person: Person) -> bool:
        """Return whether somebody has a PIN."""
        return self._pins.has(person.uid)

    def check_pin(self, person: Person, pin: str) -> None:
        """Raise RefusalError unless it is the PIN of somebody who has one."""
        if not pin:
            raise RefusalError(401, "pin", "the PIN is missing", hint="send it as pin")
        if not self._pins.fits(person.uid, pin):
            raise RefusalError(401, "pin", "the PIN is wrong")

    def _check_free(self, name: str) -> None:
        """Raise RefusalError if somebody has a name."""
        if self._people.named(name) is not None:
            message, hint = f"somebody is called {name} already", "log in, or sign up under another name"
            raise RefusalError(409, "conflict", message, hint=hint)

    def _frames(self, pictures: Sequence[Source]) -> tuple[list[Frame], list[Record]]:
        """Return the pictures that show one face that is large enough, and the others with the reason."""
        frames, rejected = [], []
        seen: set[bytes] = set()
        for index, picture in enumerate(pictures):
            try:
                data = picture.read(Limits())
                _check_new(data, seen)
                result = self._looks.recognised(from_bytes(data, picture.name), ONE, keep_image=True)
                _check_size(result)
            except FacecliError as error:
                rejected.append({"index": index, "error": error.as_dict()})
            else:
                frames.append(Frame(data, result))
        return frames, rejected

    def _check_one_person(self, frames: Sequence[Frame]) -> None:
        """Raise RefusalError if two pictures show two people, by the rule that `facecli verify` decides by."""
        from facecli.server.looks import decision

        judge = self._looks.faces.judge(decision(None, None, None), "only")
        first = judge.probe(from_bytes(frames[0].data, "1"))
        others = [from_bytes(frame.data, str(number)) for number, frame in enumerate(frames[1:], 2)]
        for comparison in judge.against(first, others):
            if comparison.verification is None or not comparison.verification.verified:
                message = "the pictures show more than one person"
                raise RefusalError(422, "ambiguous_face", message, hint="be alone before the camera")

    def _named(self, results: Sequence[ImageResult]) -> str | None:
        """Return the person whom at least VOTES pictures show, if none shows another one."""
        try:
            try:
                search = self._looks.search(STRICT)
            except UsageError:  # a small gallery of a recognizer that was not measured so far
                search = self._looks.search()
        except UsageError:  # an empty one
            return None
        votes = Counter(answer.person for result in results for answer in search.answers(result))
        del votes[None]
        if len(votes) != 1:
            return None
        ((name, count),) = votes.items()
        return name if count >= VOTES else None

    def _alive(self, frames: Sequence[Frame]) -> bool:
        """Return whether most pictures show a living face, says the model."""
        request = self._looks.faces.engine.request((anti_spoof.ATTRIBUTE,))
        scores = []
        for frame in frames:
            result = self._looks.look(from_bytes(frame.data, "frame"), request, ONE)
            answer = result.attributes[0]
            scores.append(float(answer.rows[0, answer.labels.index(anti_spoof.REAL)]))
        return sum(score >= anti_spoof.THRESHOLD for score in scores) * 2 > len(scores)

    def _kept(self, name: str, frames: Sequence[Frame], pin: str) -> Record:
        store, space = self._people.store, self._looks.gallery.space()
        if (own := store.space) is not None:
            own.check(space)
        faces = {hashlib.sha256(frame.data).digest(): frame.result for frame in frames}
        try:
            with store.database.transaction():
                self._check_free(name)  # again: somebody else may have been faster
                for sha256, result in faces.items():
                    named = replace(result, source="sign-up")
                    store.insert(name, new_face(named, sha256, keep_crop=True), space, "web")
                person = self._people.named(name)
                assert person is not None
                if pin:  # first: whoever has a PIN is never there without it
                    self._pins.keep(person.uid, pin)
        except DuplicateError as error:
            raise RefusalError(409, "conflict", "one of the pictures is somebody's already") from error
        return shown(person)


ONE = Sift("only", require_face=True)


def _check_new(data: bytes, seen: set[bytes]) -> None:
    """Raise InputError if the bytes are those of a picture that was seen, and remember them: one is not several."""
    sha256 = hashlib.sha256(data).digest()
    if sha256 in seen:
        raise InputError("the same picture came twice", hint="send pictures of several moments")
    seen.add(sha256)


def _check_size(result: ImageResult) -> None:
    assert result.detections is not None
    x1, y1, x2, y2 = map(float, result.detections.bboxes[0])
    if max(x2 - x1, y2 - y1) < SMALLEST:
        raise UsageError(f"the face is smaller than {SMALLEST:.0f} px", hint="come nearer")
