"""People and their enrolled faces, which CompreFace calls subjects and examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress

from facecli.gallery import names
from facecli.gallery.store import loose, spaces
from facecli.gallery.store.records import Person
from facecli.output.records import Record
from facecli.pictures.sources import Source
from facecli.server import refusals
from facecli.server.compat.ids import image_id_of, number_of
from facecli.server.people import People
from facecli.server.refusals import RefusalError


class Subjects:
    """Changes and lists subjects. Everything here works in a thread of the queue."""

    def __init__(self, people: People) -> None:
        self._people = people

    def add_example(self, subject: str, picture: Source, min_score: float) -> Record:
        """Enroll a picture of a subject, who is made if there is none."""
        document = self._people.add(subject, [picture], "only", new=False, min_score=min_score)
        face = document["faces"][0]["face"]
        if face is None:  # the picture is known: its face is the subject's already
            face = self._people.store.faces(self._named(subject))[-1].id
        return {"image_id": image_id_of(face), "subject": document["person"]["person"]}

    def examples(self, page: int, size: int, subject: str | None) -> Record:
        """Return one page of the examples of all subjects, or of one."""
        people = self._people.store.people() if subject is None else [self._named(subject)]
        faces = [(face.id, person.name) for person in people for face in self._people.store.faces(person)]
        part = faces[page * size : (page + 1) * size]
        return {
            "faces": [{"image_id": image_id_of(number), "subject": name} for number, name in part],
            "page_number": page,
            "page_size": size,
            "total_pages": math.ceil(len(faces) / size),
            "total_elements": len(faces),
        }

    def example(self, image_id: str) -> bytes:
        """Return the JPEG of an example, empty if there is none."""
        return spaces.crop(self._people.store, number_of(image_id)) or b""

    def delete_example(self, image_id: str) -> Record:
        """Forget one example; its subject goes with the last one."""
        number = number_of(image_id)
        face = loose.face(self._people.store, number)
        person = None if face is None or face.person is None else self._people.named(face.person)
        if person is None:
            raise refusals.missing("image")
        self._people.remove_face(person.uid, number)
        return {"image_id": image_id, "subject": person.name}

    def delete_listed(self, image_ids: Sequence[str]) -> list[Record]:
        """Forget several examples; those that there are not are left out."""
        gone = []
        for image_id in image_ids:
            with suppress(RefusalError):
                gone.append(self.delete_example(image_id))
        return gone

    def delete_examples(self, subject: str | None) -> Record:
        """Forget the examples of one subject, or of all."""
        people = self._people.store.people() if subject is None else [self._named(subject)]
        return {"deleted": sum(self._people.remove(person.uid)["faces"] for person in people)}

    def subjects(self) -> Record:
        """Return the names of all subjects."""
        return {"subjects": [person.name for person in self._people.store.people()]}

    def add_subject(self, subject: str) -> Record:
        """Make a subject without examples."""
        return {"subject": loose.make_person(self._people.store, subject)}

    def rename(self, subject: str, new: str) -> Record:
        """Give a subject another name; where somebody has it, they become one."""
        person, other = self._named(subject), self._people.named(new)
        if other is None or other.id == person.id:
            self._people.rename(person.uid, new)
        else:
            self._people.merge(person.uid, other.uid)
        return {"updated": True}

    def delete_subject(self, subject: str) -> Record:
        """Forget a subject."""
        person = self._named(subject)
        self._people.remove(person.uid)
        return {"subject": person.name}

    def delete_subjects(self) -> Record:
        """Forget all subjects."""
        people = self._people.store.people()
        for person in people:
            self._people.remove(person.uid)
        return {"deleted": len(people)}

    def _named(self, subject: str) -> Person:
        person = self._people.named(names.clean(subject))
        if person is None:
            raise refusals.missing("subject")
        return person
