"""An enrolment for people and programs: one record per picture, and the document that sums them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from facecli.errors import Wording, keyword
from facecli.gallery.admission import Enrolled
from facecli.gallery.store.records import Person
from facecli.output import records
from facecli.output.records import Record

COLUMNS = ("source", "person", "status", "face", "error")


def picture(outcome: Enrolled, wording: Wording = keyword) -> Record:
    """Return the record of one picture. wording: spelling of settings in an error."""
    return {
        "source": outcome.source,
        "person": outcome.person,
        "status": outcome.status,
        "face": outcome.face,
        "error": records.error(outcome.error, wording),
    }


def csv_rows(record: Record) -> list[Record]:
    """Return the row of a CSV for one picture."""
    return [record | {"error": record["error"] and record["error"]["code"]}]


class Summary:
    """The pictures of an enrolment so far: counts, by person, and the ones that were not stored, with reasons.

    not_this_person: those whose face somebody said is not of their person.
    """

    def __init__(self) -> None:
        self.rejected: list[Record] = []
        self.not_this_person: list[Record] = []
        self._counts: dict[str | None, dict[str, int]] = {}

    def add(self, record: Record) -> None:
        """Count a picture. record: as `picture` returns it."""
        nothing = {"added": 0, "known": 0, "rejected": 0, "not_this_person": 0}
        counts = self._counts.setdefault(record["person"], nothing)
        counts[record["status"]] += 1
        if record["status"] == "not_this_person":
            self.not_this_person.append({name: record[name] for name in ("source", "person")})
        if record["status"] == "rejected":
            self.rejected.append({name: record[name] for name in ("source", "person", "error")})

    def parts(self, people: Sequence[Person], key: Callable[[str], str]) -> Record:
        """Return the parts of the document. people: everybody in the gallery. key: the form names are compared in."""
        now = {key(person.name): person for person in people}
        total = {name: sum(one[name] for one in self._counts.values()) for name in ("added", "known")}
        listed = []
        for name, counts in self._counts.items():
            person = now.get(key(name)) if name is not None else None
            has = {"pictures": person.pictures if person else 0, "templates": person.templates if person else 0}
            listed.append({"person": name, **counts, **has})
        return {**total, "rejected": self.rejected, "not_this_person": self.not_this_person, "people": listed}


def table_rows(document: Record) -> list[Record]:
    """Return the rows of a table: one per person; the faces that were said to be somebody else's if there are any."""
    left_out = set() if document["not_this_person"] else {"not_this_person"}
    return [{name: value for name, value in one.items() if name not in left_out} for one in document["people"]]
