"""People of the gallery: enrolled, listed, changed and forgotten. Everything here works in a thread of the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from facecli.errors import UsageError
from facecli.gallery import names
from facecli.gallery.admission import Enrolled
from facecli.gallery.labelling import Labelled
from facecli.gallery.store import changes, forgetting, journal, loose, spaces
from facecli.gallery.store.journal import Change
from facecli.gallery.store.records import NewFace, Person
from facecli.gallery.store.store import GalleryStore
from facecli.output import galleries
from facecli.output.records import Record
from facecli.pictures.sources import Source
from facecli.server import exports, refusals
from facecli.server.attempts import Attempts
from facecli.server.dataset import Dataset
from facecli.server.looks import Looks


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
            "people": [shown(one) | {"portrait": crop_url(portraits.get(one.uid))} for one in page],
            "next": page[-1].uid if len(found) > most else None,
        }

    def one(self, uid: str) -> Record:
        """Return a person with their faces."""
        person = self.person(uid)
        kept = loose.with_crops(self.store, person)
        faces = [
            galleries.face(face) | {"crop": crop_url(face.id if face.id in kept else None)}
            for face in self.store.faces(person)
        ]
        return {"gallery": self._looks.described(), "person": shown(person), "faces": faces}

    def add(
        self, name: str, pictures: Sequence[Source], face: str | None, *, new: bool, min_score: float = 0.0
    ) -> Record:
        """Enroll pictures of one person. new: whether nobody of this name may be there.

        min_score: least score of a face. Raises the first picture's error if none could be used.
        """
        clean = names.clean(name)
        if new and self.named(clean) is not None:
            hint = "add faces to that person, or choose another name"
            raise refusals.RefusalError(409, "conflict", f"somebody is called {clean} already", hint=hint)
        outcomes = list(self.enrolled([Labelled(picture, clean, how="web") for picture in pictures], face, min_score))
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

    def enrolled(
        self, pictures: Iterable[Labelled], face: str | None = None, min_score: float = 0.0
    ) -> Iterator[Enrolled]:
        """Return an iterator of one outcome per picture; each face is kept with its crop."""
        gallery = self._looks.gallery
        flow = replace(gallery.flow(face), min_score=min_score)
        return gallery.enrolled(pictures, flow, crops=True)

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

    def export(self, uid: str) -> bytes:
        """Return all that the gallery has of a person, as a zip."""
        return exports.as_zip(self.store, self.person(uid))

    def crop(self, number: int) -> bytes:
        """Return the JPEG of a face."""
        found = spaces.crop(self.store, number)
        if found is None:
            raise refusals.missing("picture of a face")
        return found

    def assign(self, number: int, name: str) -> Record:
        """Give a face to the person of a name, who is made if there is none."""
        self._check(number)
        return self.change(lambda store: changes.move(store, (number,), name))

    def reject(self, number: int, name: str) -> Record:
        """Say for ever that a face is not of a person."""
        self._check(number)
        return self.change(lambda store: changes.reject(store, number, store.person(name)))

    def ignore(self, number: int) -> Record:
        """Ignore whose a face of nobody is. It is kept, as an ignored person's of its own."""
        if self._check(number).person is not None:
            raise UsageError("a face of a person can not be ignored", hint="delete it, or say that it is not theirs")
        return self.change(lambda store: changes.ignore_face(store, number))

    def take(self, face: NewFace, name: str) -> Record:
        """Keep a face that was only seen so far, and give it to the person of a name, who is made if there is none.

        When that is taken back the face is nobody's.
        """
        clean = names.clean(name)
        if self.store.has(face.sha256, clean):
            raise UsageError(f"another face of this picture is {clean}'s", hint="say who else it is, or ignore it")
        with self.store.database.transaction():
            number = self.store.insert(None, face, self._looks.gallery.space(), "web")
        return self.assign(number, clean)

    def _check(self, number: int) -> Any:
        found = loose.face(self.store, number)
        if found is None:
            raise refusals.missing("face")
        return found


def shown(person: Person) -> Record:
    """Return a person as the command line shows one."""
    return galleries.person(person)


def crop_url(number: int | None) -> str | None:
    """Return the address of a face's crop. number: the face's id, None for none."""
    return None if number is None else f"/v1/faces/{number}/crop"
