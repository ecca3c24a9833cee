"""The journal of a gallery: each change by hand with what was there before, so that it can be taken back.

It holds ids and names, no biometric data. A removal empties it: what is forgotten can not come back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from facecli.errors import UsageError
from facecli.gallery.store.database import Database, now


@dataclass(frozen=True, slots=True)
class Change:
    """One change by hand. action: its name. text: what changed, for people. people: names; faces: ids."""

    action: str
    text: str
    people: tuple[str, ...] = ()
    faces: tuple[int, ...] = ()


@dataclass(slots=True)
class Before:
    """Rows as they were before a change, to be noted before they are changed.

    people: rows of `person`. faces: (id, person, how). added: (face, person) of rejections that the change adds;
    dropped: of those that it drops. made: ids of people whom it makes.
    """

    database: Database
    people: list[list[Any]] = field(default_factory=list)
    faces: list[list[Any]] = field(default_factory=list)
    added: list[list[int]] = field(default_factory=list)
    dropped: list[list[int]] = field(default_factory=list)
    made: list[int] = field(default_factory=list)

    def person(self, number: int) -> None:
        """Note a person."""
        self.people += map(list, self.database.rows("SELECT * FROM person WHERE id = ?", (number,)))

    def face(self, number: int) -> None:
        """Note whose a face is."""
        self.faces += map(list, self.database.rows("SELECT id, person, how FROM face WHERE id = ?", (number,)))

    def keep(self, change: Change) -> None:
        """Write the change into the journal, within its transaction."""
        rows = {name: getattr(self, name) for name in ("people", "faces", "added", "dropped", "made")}
        entry = json.dumps(rows | {"text": change.text})
        sql = "INSERT INTO journal (time, action, backward) VALUES (?, ?, ?)"
        self.database.change(sql, (now(), change.action, entry))


def undo(database: Database, *, dry_run: bool = False) -> Change:
    """Take back the latest change that has not been taken back. Raises UsageError if there is none.

    A face whose former person has another face of its picture by now stays as it is, and the text says so: to refuse
    would bar the way to all changes before, as a change by hand that makes room is the first to be taken back.
    """
    with database.transaction(dry_run=dry_run):
        latest = database.rows("SELECT id, action, backward FROM journal ORDER BY id DESC LIMIT 1")
        if not latest:
            raise UsageError("there is nothing to undo", hint="a removal can not be undone, nor what was before it")
        number, action, text = latest[0]
        entry = json.loads(text)
        _restore_people(database, entry["people"])
        stay = _barred(database, entry["faces"])
        for face, owner, how in entry["faces"]:
            if face not in stay:
                database.change("UPDATE face SET person = ?, how = ? WHERE id = ?", (owner, how, face))
        for face, person in entry["added"]:
            if face not in stay:
                database.change("DELETE FROM rejection WHERE face = ? AND person = ?", (face, person))
        for face, person in entry["dropped"]:
            if face not in stay:
                database.change("INSERT OR IGNORE INTO rejection VALUES (?, ?)", (face, person))
        for person in entry["made"]:
            free = "NOT EXISTS (SELECT 1 FROM face WHERE person = ?)"  # nobody was enrolled as this person since
            database.change(f"DELETE FROM person WHERE id = ? AND {free}", (person, person))  # noqa: S608
        database.change("DELETE FROM journal WHERE id = ?", (number,))
    people = tuple(str(row[2]) for row in entry["people"])
    text = "; ".join([f"took back: {action} ({entry['text']})", *stay.values()])
    return Change("undo", text, people, tuple(row[0] for row in entry["faces"] if row[0] not in stay))


def _barred(database: Database, faces: Sequence[Sequence[Any]]) -> dict[int, str]:
    """Return which faces, (id, person, how), can not be given back to their person, with the reason of each."""
    reasons = {}
    query = """SELECT b.id, person.name FROM face AS a JOIN face AS b ON b.picture = a.picture AND b.id != a.id
        JOIN person ON person.id = b.person WHERE a.id = ? AND b.person = ?"""
    for face, owner, _ in faces:
        for other, name in database.rows(query, (face, owner)):
            reasons[face] = f"but face {face} stays: face {other} of its picture is {name}'s by now"
    return reasons


def _restore_people(database: Database, people: Sequence[Sequence[Any]]) -> None:
    """Write people as they were; raise UsageError if somebody else has one of their names by now."""
    for row in people:
        taken = database.rows("SELECT name FROM person WHERE key = ? AND id != ?", (row[3], row[0]))
        if taken:
            message = f"somebody else is called {taken[0][0]} by now"
            raise UsageError(message, hint="give both a name by `facecli gallery rename`")
        sql = """INSERT INTO person VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
            SET uid = excluded.uid, name = excluded.name, key = excluded.key, kind = excluded.kind"""
        database.change(sql, row)
