"""Changes of people that a user makes by hand; each can be taken back. With `dry_run` nothing stays of a change.

Who and what is changed is looked up within the change's transaction, as another program may have been faster: each
raises UsageError for a person who is not there any more.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence

from facecli.errors import UsageError
from facecli.gallery import names
from facecli.gallery.store.database import now
from facecli.gallery.store.journal import Before, Change
from facecli.gallery.store.records import Person
from facecli.gallery.store.store import GalleryStore

LARGEST = 2**63  # that an id of SQLite is below


def rename(store: GalleryStore, person: Person, name: str, *, dry_run: bool = False) -> Change:
    """Give a person another name. Raises UsageError for a name that somebody else has."""
    with store.database.transaction(dry_run=dry_run):
        person = store.current(person)
        query = "SELECT name FROM person WHERE key = ? AND id != ?"
        if taken := store.database.rows(query, (names.key(name), person.id)):
            hint = "are they one person? `facecli gallery merge` makes them one"
            raise UsageError(f"somebody else is called {taken[0][0]}", hint=hint)
        before = Before(store.database)
        before.person(person.id)
        new = names.clean(name)
        sql = "UPDATE person SET name = ?, key = ? WHERE id = ?"
        store.database.change(sql, (new, names.key(name), person.id))
        change = Change("rename", f"{person.name} is called {new}", (person.name, new))
        before.keep(change)
    return change


def merge(store: GalleryStore, person: Person, into: Person, *, dry_run: bool = False) -> Change:
    """Make all faces of a person those of another one, and the first person nobody.

    Faces that were said not to be of one of them are not of the other either. Raises UsageError for two people who are
    in one picture, and where somebody said that a face of one is not of the other.
    """
    if person.id == into.id:
        raise UsageError(f"{person.name} is one person already", hint="name two people")
    database = store.database
    with database.transaction(dry_run=dry_run):
        person, into = store.current(person), store.current(into)
        faces = [face.id for face in store.faces(person)]
        _refuse_merge(store, person, into)
        before = Before(database)
        before.person(person.id)
        for face in faces:
            before.face(face)
            database.change("UPDATE face SET person = ? WHERE id = ?", (into.id, face))
        for (face,) in database.rows("SELECT face FROM rejection WHERE person = ?", (person.id,)):
            before.dropped.append([face, person.id])
            if not database.rows("SELECT 1 FROM rejection WHERE face = ? AND person = ?", (face, into.id)):
                before.added.append([face, into.id])
                database.change("INSERT INTO rejection VALUES (?, ?)", (face, into.id))
        database.change("DELETE FROM person WHERE id = ?", (person.id,))
        text = f"{person.name} is {into.name}: {len(faces)} faces"
        change = Change("merge", text, (person.name, into.name), tuple(faces))
        before.keep(change)
    return change


def move(store: GalleryStore, faces: Sequence[int], name: str, *, dry_run: bool = False) -> Change:
    """Give faces to the person of a name, who is made if there is none.

    Raises UsageError for a face that does not exist, and for a second face of one picture.
    """
    database = store.database
    with database.transaction(dry_run=dry_run):
        before, new = Before(database), names.clean(name)
        target = _person(store, new, "known", before)
        for face in faces:
            picture = _picture_of(store, face)
            query = "SELECT id FROM face WHERE picture = ? AND person = ? AND id != ?"
            if database.rows(query, (picture, target, face)):
                message = f"another face of the picture of face {face} is {new}'s"
                raise UsageError(message, hint="a picture shows a person once: move that one first")
            before.face(face)
            if database.rows("SELECT 1 FROM rejection WHERE face = ? AND person = ?", (face, target)):
                before.dropped.append([face, target])
                database.change("DELETE FROM rejection WHERE face = ? AND person = ?", (face, target))
            database.change("UPDATE face SET person = ?, how = 'user' WHERE id = ?", (target, face))
        change = Change("move", f"{_listed(faces)} of {new}", (new,), tuple(faces))
        before.keep(change)
    return change


def reject(store: GalleryStore, face: int, person: Person, *, dry_run: bool = False) -> Change:
    """Say for ever that a face is not of a person; it is nobody's if it was. Raises UsageError for no such face."""
    database = store.database
    with database.transaction(dry_run=dry_run):
        person = store.current(person)
        _picture_of(store, face)
        before = Before(database)
        before.face(face)
        if not database.rows("SELECT 1 FROM rejection WHERE face = ? AND person = ?", (face, person.id)):
            before.added.append([face, person.id])
            database.change("INSERT INTO rejection VALUES (?, ?)", (face, person.id))
        sql = "UPDATE face SET person = NULL, how = 'user' WHERE id = ? AND person = ?"
        database.change(sql, (face, person.id))
        change = Change("reject", f"face {face} is not of {person.name}", (person.name,), (face,))
        before.keep(change)
    return change


def ignore(store: GalleryStore, person: Person, *, dry_run: bool = False) -> Change:
    """Ignore a person: `identify` recognises and never names them."""
    with store.database.transaction(dry_run=dry_run):
        person = store.current(person)
        before = Before(store.database)
        before.person(person.id)
        store.database.change("UPDATE person SET kind = 'ignored' WHERE id = ?", (person.id,))
        change = Change("ignore", f"{person.name} is ignored", (person.name,))
        before.keep(change)
    return change


def ignore_face(store: GalleryStore, face: int, *, dry_run: bool = False) -> Change:
    """Ignore whose a face of nobody is, by an ignored person of its own: `identify` and clusterings leave them out.

    Raises UsageError for no such face, and for a face of somebody.
    """
    database = store.database
    with database.transaction(dry_run=dry_run):
        _picture_of(store, face)
        query = "SELECT person.name FROM face JOIN person ON person.id = face.person WHERE face.id = ?"
        if owner := database.rows(query, (face,)):
            hint = "ignore the person, or say with `facecli gallery reject` that it is not theirs"
            raise UsageError(f"face {face} is {owner[0][0]}'s", hint=hint)
        before, name, number = Before(database), f"face {face}", 1
        before.face(face)
        while database.rows("SELECT 1 FROM person WHERE key = ?", (names.key(name),)):
            number += 1
            name = f"face {face} ({number})"
        person = _person(store, name, "ignored", before)
        database.change("UPDATE face SET person = ?, how = 'user' WHERE id = ?", (person, face))
        change = Change("ignore", f"face {face} is ignored, as {name!r}", (name,), (face,))
        before.keep(change)
    return change


def _person(store: GalleryStore, name: str, kind: str, before: Before) -> int:
    """Return the id of the person of a name, who is made, and noted, if there is none."""
    found = store.database.rows("SELECT id FROM person WHERE key = ?", (names.key(name),))
    if found:
        return int(found[0][0])
    sql = "INSERT INTO person (uid, name, key, kind, created) VALUES (?, ?, ?, ?, ?)"
    made = store.database.change(sql, (str(uuid.uuid4()), name, names.key(name), kind, now()))
    before.made.append(made)
    return made


def _picture_of(store: GalleryStore, face: int) -> int:
    found = store.database.rows("SELECT picture FROM face WHERE id = ?", (face,)) if face < LARGEST else []
    if not found:
        raise UsageError(f"there is no face {face}", hint="see `facecli gallery show`")
    return int(found[0][0])


def _refuse_merge(store: GalleryStore, person: Person, into: Person) -> None:
    query = """SELECT picture.source FROM face AS a JOIN face AS b ON b.picture = a.picture
        JOIN picture ON picture.id = a.picture WHERE a.person = ? AND b.person = ?"""
    if both := store.database.rows(query, (person.id, into.id)):
        source = "one picture" if both[0][0] is None else os.fsdecode(both[0][0])
        message = f"{person.name} and {into.name} are both in {source}, so they are two people"
        raise UsageError(message, hint="move or reject one of these faces first")
    query = "SELECT face FROM rejection JOIN face ON face.id = face WHERE face.person = ? AND rejection.person = ?"
    for one, other in ((person, into), (into, person)):
        if said := store.database.rows(query, (one.id, other.id)):
            message = f"face {said[0][0]} of {one.name} was said not to be of {other.name}"
            raise UsageError(message, hint=f"move it to {other.name} first, if it is")


def _listed(faces: Sequence[int]) -> str:
    return f"face {faces[0]} is" if len(faces) == 1 else f"faces {', '.join(map(str, faces))} are"
