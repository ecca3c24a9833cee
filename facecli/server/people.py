"""People of the gallery: enrolled, listed, changed and forgotten. Everything here works in a thread of the queue."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from facecli.errors import FacecliError, UsageError
from facecli.gallery import names
from facecli.gallery.decision import identify
from facecli.gallery.enrolment import Enrolled
from facecli.gallery.labelling import Labelled
from facecli.gallery.store import changes, forgetting, journal, loose, spaces
from facecli.gallery.store.journal import Change
from facecli.gallery.store.records import Person
from facecli.gallery.store.store import GalleryStore
from facecli.output import galleries, records
from facecli.output.records import Record
from facecli.output.verifications import DIGITS
from facecli.pictures.sources import Source
from facecli.server import refusals
from facecli.server.attempts import Attempts
from facecli.server.dataset import Dataset
from facecli.server.looks import Looks

MOST_UNNAMED = 100  # faces that one review lists


class People:
    """The people of a gallery. people are named by uid, faces by id; RefusalError 404 tells that there is none."""

    def __init__(self, looks: Looks, dataset: Dataset | None = None) -> None:
        self._looks, self._dataset, self.attempts = looks, dataset, Attempts()

    @property
    def store(self) -> GalleryStore:
        """The gallery's file."""
        return self._looks.gallery.store()

    def person(self, uid: str) -> Person:
        """Return a person by uid."""
        for person in self.store.people():
            if person.uid == uid:
                return person
        raise refusals.missing("person")

    def named(self, name: str) -> Person | None:
        """Return the person of a name, None if there is none."""
        key = names.key(name)
        return next((person for person in self.store.people() if names.key(person.name) == key), None)

    def listed(self, search: str, after: str, most: int) -> Record:
        """Return the people whose names hold a text, in the order of names, behind the one whose uid is `after`."""
        people = self.store.people()
        portraits = loose.first_faces(self.store)
        if after:
            start = next((number for number, one in enumerate(people, 1) if one.uid == after), None)
            if start is None:
                raise refusals.missing("place in the list")
            people = people[start:]
        found = [one for one in people if search.casefold() in one.name.casefold()]
        page = found[:most]
        return {
            "gallery": self._looks.described(),
            "people": [shown(one) | {"portrait": _crop_url(portraits.get(one.uid))} for one in page],
            "next": page[-1].uid if len(found) > most else None,
        }

    def one(self, uid: str) -> Record:
        """Return a person with their faces."""
        person = self.person(uid)
        faces = [galleries.face(face) | {"crop": _crop_url(face.id)} for face in self.store.faces(person)]
        return {"gallery": self._looks.described(), "person": shown(person), "faces": faces}

    def add(self, name: str, pictures: Sequence[Source], face: str | None, *, new: bool) -> Record:
        """Enroll pictures of one person. new: whether nobody of this name may be there.

        Raises the first picture's error if none could be used.
        """
        clean = names.clean(name)
        if new and self.named(clean) is not None:
            hint = "add faces to that person, or choose another name"
            raise refusals.RefusalError(409, "conflict", f"somebody is called {clean} already", hint=hint)
        outcomes = list(self.enrolled([Labelled(picture, clean, how="web") for picture in pictures], face))
        if all(outcome.error is not None for outcome in outcomes):
            raise next(outcome.error for outcome in outcomes if outcome.error is not None)
        person = self.named(clean)
        assert person is not None
        return {
            "person": shown(person),
            "faces": [
                {"index": index, "filename": one.source, "face": one.face, "status": one.status}
                for index, one in enumerate(outcomes)
                if one.error is None
            ],
            "rejected": [
                {"index": index, "filename": one.source, "error": one.error.as_dict()}
                for index, one in enumerate(outcomes)
                if one.error is not None
            ],
        }

    def enrolled(self, pictures: Iterable[Labelled], face: str | None = None) -> Iterator[Enrolled]:
        """Return an iterator of one outcome per picture; each face is kept with its crop."""
        gallery = self._looks.gallery
        return gallery.enrolled(pictures, gallery.flow(face), crops=True)

    def change(self, made: Callable[[GalleryStore], Change]) -> Record:
        """Return the document of a change by hand, as `facecli gallery` writes it."""
        document = galleries.changed(self.store, made(self.store), dry_run=False)
        return document | {"gallery": self._looks.described()}

    def rename(self, uid: str, name: str) -> Record:
        """Give a person another name."""
        return self.change(lambda store: changes.rename(store, self.person(uid), name))

    def merge(self, uid: str, into: str) -> Record:
        """Make one person of two. into: uid of the one that stays."""
        return self.change(lambda store: changes.merge(store, self.person(uid), self.person(into)))

    def undo(self) -> Record:
        """Take the latest change back."""
        return self.change(lambda store: journal.undo(store.database))

    def remove(self, uid: str) -> Record:
        """Forget a person, and return the receipt."""
        person = self.person(uid)
        if self._dataset is not None:  # first: whose files could not be deleted is there still, and can be tried again
            self._dataset.erase(person.name, self.store.faces(person))
        receipt = galleries.receipt(self.store, forgetting.remove(self.store, [person]))
        self.attempts.forget(person.name)
        checked = receipt["checked"] | {"files": [name.rpartition("/")[2] for name in receipt["checked"]["files"]]}
        return receipt | {"gallery": self._looks.described(), "checked": checked}

    def remove_face(self, uid: str, number: int) -> None:
        """Forget one face of a person, and the person with the last one."""
        person, found = self.person(uid), loose.face(self.store, number)
        if found is None or found.person != person.name:
            raise refusals.missing("face of this person")
        if self._dataset is not None:
            self._dataset.recycle(found)
        loose.forget(self.store, number)
        loose.remove_if_empty(self.store, person)

    def crop(self, number: int) -> bytes:
        """Return the JPEG of a face."""
        found = spaces.crop(self.store, number)
        if found is None:
            raise refusals.missing("picture of a face")
        return found

    def export(self, uid: str) -> bytes:
        """Return all that the gallery has of a person as a zip: person.json, and a JPEG of each face that has one."""
        person = self.person(uid)
        templates = self.store.templates((person.name,)) if person.templates else None
        vectors = {} if templates is None else dict(zip(templates.faces, templates.embeddings, strict=True))
        space, faces = self.store.space, self.store.faces(person)
        listed = [
            galleries.face(face) | {"embedding": records.embedding(vectors[face.id]) if face.id in vectors else None}
            for face in faces
        ]
        document = {"person": shown(person), "space": None if space is None else space.identity, "faces": listed}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("person.json", json.dumps(document, indent=2, ensure_ascii=False))
            for face in faces:
                if (jpeg := spaces.crop(self.store, face.id)) is not None:
                    archive.writestr(f"faces/{face.id}.jpg", jpeg)
        return buffer.getvalue()

    def review(self) -> Record:
        """Return faces that somebody should say something about: nobody's, and those that were nearly somebody."""
        items: list[Record] = [
            {
                "id": one.id,
                "suggestion": {"person": one.person, "distance": round(one.distance, DIGITS)},
                "crop": f"/v1/review/{one.id}/crop",
            }
            for one in self.attempts.all()
        ]
        for face, embedding in loose.of_nobody(self.store, MOST_UNNAMED):
            suggestion = self._suggestion(embedding, loose.rejected(self.store, face.id))
            items.append({"id": f"face-{face.id}", "suggestion": suggestion, "crop": _crop_url(face.id)})
        return {"gallery": self._looks.described(), "items": items}

    def answer(self, item: str, said: str, name: str | None) -> Record:
        """Take an answer about a face of the review. said: yes, no or ignore. name: whose it is, if not the suggested.

        "no" says so of the suggested person, for ever where the face is stored; "ignore" forgets the face.
        """
        if item.startswith("face-") and item[5:].isdigit() and len(item) < 20:
            return self._answer_stored(int(item[5:]), said, name)
        attempt = self.attempts.get(item)
        if attempt is None:
            raise refusals.missing("face to review")
        if said == "yes":
            space = self._looks.gallery.space()
            self.store.add(name or attempt.person, attempt.face, space, "web")
        self.attempts.drop(item)
        return {"id": item, "answer": said, "person": (name or attempt.person) if said == "yes" else None}

    def assign(self, number: int, name: str) -> Record:
        """Give a face to the person of a name, who is made if there is none."""
        self._check(number)
        return self.change(lambda store: changes.move(store, (number,), name))

    def reject(self, number: int, name: str) -> Record:
        """Say for ever that a face is not of a person."""
        self._check(number)
        return self.change(lambda store: changes.reject(store, number, store.person(name)))

    def ignore(self, number: int) -> None:
        """Forget a face that is nobody's."""
        if self._check(number).person is not None:
            raise UsageError("a face of a person can not be ignored", hint="delete it, or say that it is not theirs")
        loose.forget(self.store, number)

    def _answer_stored(self, number: int, said: str, name: str | None) -> Record:
        whose: str | None = None
        if said == "ignore":
            self.ignore(number)
        else:
            whose = name or self._suggested(number)
            if whose is None:
                raise UsageError("nobody is suggested for this face", hint="say who it is, or ignore it")
            if said == "yes":
                self.assign(number, whose)
            else:
                self.reject(number, whose)
        return {"id": f"face-{number}", "answer": said, "person": whose if said == "yes" else None}

    def _suggested(self, number: int) -> str | None:
        for face, embedding in loose.of_nobody(self.store, MOST_UNNAMED):
            if face.id == number:
                found = self._suggestion(embedding, loose.rejected(self.store, number))
                return None if found is None else found["person"]
        raise refusals.missing("face to review")

    def _suggestion(self, embedding: Any, excluded: set[str]) -> dict[str, Any] | None:
        """Return the nearest person who was not ruled out, with the distance."""
        try:
            search = self._looks.search()
        except FacecliError:  # nobody is enrolled
            return None
        (found,) = identify(embedding[None], search.index, search.rule, top=len(excluded) + 1)
        for candidate in found.candidates:
            if candidate.person not in excluded:
                return {"person": candidate.person, "distance": round(candidate.distance, DIGITS)}
        return None

    def _check(self, number: int) -> Any:
        found = loose.face(self.store, number)
        if found is None:
            raise refusals.missing("face")
        return found


def shown(person: Person) -> Record:
    """Return a person as the command line shows one."""
    return galleries.person(person)


def _crop_url(number: int | None) -> str | None:
    return None if number is None else f"/v1/faces/{number}/crop"
