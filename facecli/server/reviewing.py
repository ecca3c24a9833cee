"""Faces that somebody should say something about: nobody's, and those that nobody knew in a live view."""

from __future__ import annotations

from typing import Any

from facecli.errors import FacecliError, UsageError
from facecli.gallery.decision import identify
from facecli.gallery.store import loose
from facecli.output.records import Record
from facecli.output.verifications import DIGITS
from facecli.server import refusals
from facecli.server.looks import Looks
from facecli.server.people import People, crop_url

MOST_UNNAMED = 100  # faces that one review lists


class Reviewing:
    """Lists faces and takes answers. Everything here works in a thread of the queue."""

    def __init__(self, looks: Looks, people: People) -> None:
        self._looks, self._people = looks, people

    def items(self) -> Record:
        """Return faces that somebody should say something about: nobody's, and those that nobody knew."""
        items: list[Record] = [
            {
                "id": one.id,
                "suggestion": None
                if one.distance is None
                else {"person": one.person, "distance": round(one.distance, DIGITS)},
                "crop": f"/v1/review/{one.id}/crop",
            }
            for one in self._people.attempts.all()
        ]
        for face, embedding in loose.of_nobody(self._people.store, MOST_UNNAMED):
            suggestion = self._suggestion(embedding, loose.rejected(self._people.store, face.id))
            items.append({"id": f"face-{face.id}", "suggestion": suggestion, "crop": crop_url(face.id)})
        return {"gallery": self._looks.described(), "items": items}

    def answer(self, item: str, said: str, name: str | None) -> Record:
        """Take an answer about a face of the review. said: yes, no or ignore. name: whose it is, if not the suggested.

        "no" says so of the suggested person, for ever where the face is stored; "ignore" leaves a stored face out from
        then on, and forgets one that was only seen. `undoable` of the record: whether `undo` takes this answer back.
        """
        if item.startswith("face-") and item[5:].isascii() and item[5:].isdecimal() and len(item) < 20:
            return self._answer_stored(int(item[5:]), said, name)
        attempt = self._people.attempts.get(item)
        if attempt is None:
            raise refusals.missing("face to review")
        whose = name or attempt.person
        if said != "ignore" and whose is None:
            raise _not_suggested()
        if said == "yes" and whose is not None:
            self._people.take(attempt.face, whose)
        self._people.attempts.drop(item)
        return _taken(item, said, whose, undoable=said == "yes")  # else it was in memory alone, and is forgotten

    def _answer_stored(self, number: int, said: str, name: str | None) -> Record:
        whose: str | None = None
        if said == "ignore":
            self._people.ignore(number)
        else:
            whose = name or self._suggested(number)
            if whose is None:
                raise _not_suggested()
            if said == "yes":
                self._people.assign(number, whose)
            else:
                self._people.reject(number, whose)
        return _taken(f"face-{number}", said, whose, undoable=True)

    def _suggested(self, number: int) -> str | None:
        for face, embedding in loose.of_nobody(self._people.store, MOST_UNNAMED):
            if face.id == number:
                found = self._suggestion(embedding, loose.rejected(self._people.store, number))
                return None if found is None else found["person"]
        raise refusals.missing("face to review")

    def _suggestion(self, embedding: Any, excluded: set[str]) -> dict[str, Any] | None:
        """Return the nearest person who was not ruled out, with the distance; None if nobody is near.

        Nobody is asked whether a face is one of those that are ignored.
        """
        try:
            search = self._looks.search()
        except FacecliError:  # nobody is enrolled
            return None
        excluded = excluded | search.index.ignored
        (found,) = identify(embedding[None], search.index, search.rule, top=len(excluded) + 1)
        nearest = search.rule.threshold if search.rule.near is None else search.rule.near
        for candidate in found.candidates:
            if candidate.person not in excluded and candidate.distance <= nearest:
                return {"person": candidate.person, "distance": round(candidate.distance, DIGITS)}
        return None


def _taken(item: str, said: str, whose: str | None, *, undoable: bool) -> Record:
    return {"id": item, "answer": said, "person": whose if said == "yes" else None, "undoable": undoable}


def _not_suggested() -> UsageError:
    return UsageError("nobody is suggested for this face", hint="say who it is, or ignore it")
