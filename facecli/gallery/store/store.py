"""The people, faces and templates that a gallery keeps. Each change is one transaction."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from facecli.errors import DuplicateError, GalleryError, UsageError
from facecli.gallery import names
from facecli.gallery.space import Space
from facecli.gallery.store.database import Database, now
from facecli.gallery.store.journal import Before, Change
from facecli.gallery.store.records import NewFace, Person, Point, StoredFace, Templates
from facecli.types import FloatArray

FLOAT = np.dtype("<f4")
PEOPLE = """SELECT person.id, person.uid, person.name, person.kind, person.created,
    count(DISTINCT face.picture), count(template.face)
    FROM person LEFT JOIN face ON face.person = person.id
    LEFT JOIN template ON template.face = face.id
        AND template.space = (SELECT id FROM space WHERE state = 'active')
    GROUP BY person.id ORDER BY person.key"""

# Templates that a search looks through.
SEARCHED = """FROM template JOIN space ON space.id = template.space AND space.state = 'active'
    JOIN face ON face.id = template.face JOIN person ON person.id = face.person"""


class GalleryStore:
    """The people of a gallery file. create: make it if it is missing. See Database for what is raised."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self.database = Database(path, create=create)

    @property
    def revision(self) -> int:
        """The number of changes so far."""
        return int(self.meta("revision"))

    def meta(self, key: str) -> str:
        """Return a fact about the gallery: its uuid, created (time) or revision."""
        ((value,),) = self.database.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(value)

    @property
    def state(self) -> str:
        """A random text that every change of people, faces or templates replaces."""
        found = self.database.rows("SELECT value FROM meta WHERE key = 'state'")
        return str(found[0][0]) if found else ""

    @property
    def space(self) -> Space | None:
        """The space of the gallery's embeddings; None as long as there is none."""
        found = self.database.rows("SELECT identity, dim FROM space WHERE state = 'active'")
        return Space(json.loads(found[0][0]), found[0][1]) if found else None

    def people(self) -> list[Person]:
        """Return everybody, by name."""
        return [Person(*row) for row in self.database.rows(PEOPLE)]

    def person(self, name: str) -> Person:
        """Return the person of a name, however it is spelled. Raises UsageError, with the nearest names, for nobody."""
        return self.people_called([name])[0]

    def people_called(self, wanted: Sequence[str]) -> list[Person]:
        """Return the people of names, each once, in this order.

        Raises UsageError, with the nearest names, for all names that nobody has.
        """
        by_key = {names.key(person.name): person for person in self.people()}
        found = {names.key(name): by_key.get(names.key(name)) for name in wanted}
        if missing := [name for name in dict.fromkeys(wanted) if found[names.key(name)] is None]:
            everybody = [person.name for person in by_key.values()]
            close = dict.fromkeys(one for name in missing for one in names.nearest(name, everybody))
            hint = f"is it {', '.join(map(repr, close))}?" if close else "see `facecli gallery list`"
            told = " or ".join(repr(names.clean(name)) for name in missing)
            raise UsageError(f"nobody in the gallery is called {told}", hint=hint)
        return [person for person in found.values() if person is not None]

    def current(self, person: Person) -> Person:
        """Return a person, but for the counts as they are now: another program may have changed them meanwhile.

        A change asks within its transaction. Raises UsageError for somebody who is not there any more.
        """
        query = "SELECT name, kind FROM person WHERE id = ? AND uid = ?"
        found = self.database.rows(query, (person.id, person.uid))
        if not found:
            raise UsageError(f"{person.name} is not in the gallery any more", hint="see `facecli gallery list`")
        return replace(person, name=found[0][0], kind=found[0][1])

    def has(self, sha256: bytes, name: str) -> bool:
        """Return whether a picture of these bytes is enrolled for the person of this name."""
        query = """SELECT 1 FROM picture JOIN face ON face.picture = picture.id JOIN person ON person.id = face.person
            WHERE picture.sha256 = ? AND person.key = ?"""
        return bool(self.database.rows(query, (sha256, names.key(name))))

    def add(self, name: str, face: NewFace, space: Space, how: str = "enroll") -> int:
        """Store a face as one of a person, who is made if there is none of this name; return the face's id.

        A face that is here and nobody's becomes that person's, and `journal.undo` takes that back. When this returns
        the face is on the disk. Raises UsageError for a face of another space than the gallery's,
        DuplicateError for one that is enrolled already, GalleryError.
        """
        with self.database.transaction():
            return self.insert(name, face, space, how)

    def insert(self, name: str | None, face: NewFace, space: Space, how: str) -> int:
        """Store a face as `add` does, within a transaction of the caller's. name: None for a face of nobody."""
        number = self._space(space)
        picture = self._picture(face)
        bbox = b"" if face.bbox is None else face.bbox.astype(FLOAT).tobytes()
        here = self._same_face(picture, bbox, name, face.source)
        if here is not None and name is not None:
            return self._adopt(here, name, face, number, how)
        landmarks = None if face.landmarks is None else face.landmarks.astype(FLOAT).tobytes()
        person = None if name is None else self.person_id(name)
        values = (picture, bbox, landmarks, face.score, person, how, face.crop)
        columns = "(picture, bbox, landmarks, score, person, how, crop)"
        added = self.database.change(f"INSERT INTO face {columns} VALUES (?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608
        embedding = face.embedding.astype(FLOAT).tobytes()
        self.database.change("INSERT INTO template VALUES (?, ?, ?)", (added, number, embedding))
        return added

    def faces(self, person: Person) -> list[StoredFace]:
        """Return the faces of a person in the order in which they were stored."""
        query = """SELECT face.id, picture.source, picture.sha256, face.bbox, face.score, face.how, picture.added
            FROM face JOIN picture ON picture.id = face.picture WHERE face.person = ? ORDER BY face.id"""
        return [_stored(row, person.name) for row in self.database.rows(query, (person.id,))]

    def templates(self, people: Sequence[str] = ()) -> Templates:
        """Return the templates of the active space; of these people alone, if any are named.

        Raises GalleryError for a template that is damaged, UsageError for a name that nobody has.
        """
        wanted = json.dumps([person.id for person in self.people_called(people)])
        query = f"""SELECT person.id, person.name, face.id, template.embedding, person.kind {SEARCHED}
            WHERE ? OR person.id IN (SELECT value FROM json_each(?)) ORDER BY person.id, face.id"""  # noqa: S608
        space, revision = self.space, self.revision
        dim = 1 if space is None else space.dim
        found = self.database.rows(query, (not people, wanted))
        embeddings = _matrix([row[3] for row in found], dim, self.path)
        known = {row[0]: str(row[1]) for row in found}
        ignored = frozenset(row[0] for row in found if row[4] == "ignored")
        faces, owners = tuple(row[2] for row in found), tuple(row[0] for row in found)
        return Templates(embeddings, faces, owners, known, revision, ignored)

    def face_count(self, most: int = -1) -> int:
        """Return how many faces there are, of anybody and nobody. most: at which to stop counting; -1 for none."""
        ((count,),) = self.database.rows("SELECT count(*) FROM (SELECT 1 FROM face LIMIT ?)", (most,))
        return int(count)

    def searched(self) -> tuple[int, int, int]:
        """Return how many templates a search looks through, of how many people, and the bytes of their names."""
        query = f"""SELECT sum(templates), count(*), sum(length(CAST(name AS BLOB))) FROM
            (SELECT person.name AS name, count(*) AS templates {SEARCHED} GROUP BY person.id)"""  # noqa: S608
        ((templates, people, letters),) = self.database.rows(query)
        return int(templates or 0), int(people), int(letters or 0)

    def template_batches(self, size: int) -> Iterator[tuple[list[int], list[int], FloatArray]]:
        """Yield people, faces and embeddings, (N, dim) float32, as `templates` has them, `size` at a time."""
        space = self.space
        query = f"SELECT person.id, face.id, embedding {SEARCHED} ORDER BY person.id, face.id"
        for rows in self.database.batches(query, size):
            embeddings = _matrix([row[2] for row in rows], 1 if space is None else space.dim, self.path)
            yield [row[0] for row in rows], [row[1] for row in rows], embeddings

    def names(self) -> tuple[dict[int, str], frozenset[int]]:
        """Return the names of people by their ids, and the ids of those who are ignored."""
        rows = self.database.rows("SELECT id, name, kind FROM person")
        return {row[0]: str(row[1]) for row in rows}, frozenset(row[0] for row in rows if row[2] == "ignored")

    def keep_points(self, points: Sequence[Point]) -> None:
        """Store thresholds of the gallery as it is now, in place of those of the same rates."""
        with self.database.transaction(revises=False):
            ((space,),) = self.database.rows("SELECT id FROM space WHERE state = 'active'")
            for one in points:
                values = (space, one.rate, one.threshold, one.people, one.searches, self.revision)
                self.database.change("INSERT OR REPLACE INTO operating_point VALUES (?, ?, ?, ?, ?, ?)", values)

    def points(self) -> list[Point]:
        """Return the thresholds that were stored since the latest change."""
        query = """SELECT rate, threshold, people, searches FROM operating_point
            JOIN space ON space.id = operating_point.space AND space.state = 'active' WHERE revision = ?"""
        return [Point(*row) for row in self.database.rows(query, (self.revision,))]

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def _space(self, space: Space) -> int:
        """Return the id of the active space, which is made if there is none; raise UsageError if it is another one."""
        found = self.database.rows("SELECT id, identity, dim FROM space WHERE state = 'active'")
        if found:
            Space(json.loads(found[0][1]), found[0][2]).check(space)
            return int(found[0][0])
        sql = "INSERT INTO space (fingerprint, identity, dim, state) VALUES (?, ?, ?, 'active')"
        return self.database.change(sql, (space.fingerprint, space.text, space.dim))

    def _picture(self, face: NewFace) -> int:
        found = self.database.rows("SELECT id FROM picture WHERE sha256 = ?", (face.sha256,))
        if found:
            return int(found[0][0])
        values = (face.sha256, os.fsencode(face.source), face.width, face.height, now())
        columns = "(sha256, source, width, height, added)"
        return self.database.change(f"INSERT INTO picture {columns} VALUES (?, ?, ?, ?, ?)", values)  # noqa: S608

    def person_id(self, name: str) -> int:
        """Return the id of the person of a name, who is made if there is none, within a transaction of the caller's."""
        found = self.database.rows("SELECT id FROM person WHERE key = ?", (names.key(name),))
        if found:
            return int(found[0][0])
        sql = "INSERT INTO person (uid, name, key, kind, created) VALUES (?, ?, ?, 'known', ?)"
        return self.database.change(sql, (str(uuid.uuid4()), names.clean(name), names.key(name), now()))

    def _adopt(self, number: int, name: str, face: NewFace, space: int, how: str) -> int:
        """Give a face that is here and nobody's to the person of a name; return the face's id."""
        before = Before(self.database)
        before.face(number)
        new = not self.database.rows("SELECT 1 FROM person WHERE key = ?", (names.key(name),))
        person = self.person_id(name)
        before.made += [person] * new
        sql = "UPDATE face SET person = ?, how = ?, crop = COALESCE(crop, ?) WHERE id = ?"
        self.database.change(sql, (person, how, face.crop, number))
        embedding = face.embedding.astype(FLOAT).tobytes()
        self.database.change("INSERT OR IGNORE INTO template VALUES (?, ?, ?)", (number, space, embedding))
        clean = names.clean(name)
        before.keep(Change("enroll", f"face {number}, which was nobody's, is {clean}'s", (clean,), (number,)))
        return number

    def _same_face(self, picture: int, bbox: bytes, name: str | None, source: str) -> int | None:
        """Return the id of the same face if it is here and may become the person's of a name; None for a new face.

        Raises DuplicateError for a face that somebody has, or of which somebody said that it is not this person's, and
        for a second face of a picture for one person.
        """
        same = None
        query = """SELECT face.id, face.bbox, person.name, EXISTS (SELECT 1 FROM rejection JOIN person AS other
            ON other.id = rejection.person WHERE rejection.face = face.id AND other.key = ?)
            FROM face LEFT JOIN person ON person.id = face.person WHERE picture = ?"""
        key = None if name is None else names.key(name)
        for number, known, owner, rejected in self.database.rows(query, (key, picture)):
            if known == bbox and owner is None and name is not None and not rejected:
                same = int(number)
            elif known == bbox:
                message = f"the face in {source} is enrolled as {owner or 'nobody'}"
                raise DuplicateError(message, hint="enroll a picture under one name")
            elif None not in (owner, name) and names.key(owner) == names.key(str(name)):
                message = f"another face in {source} is enrolled as {owner}"
                raise DuplicateError(message, hint="one picture shows a person once")
        return same


def _stored(row: tuple[Any, ...], person: str | None) -> StoredFace:
    identifier, source, sha256, bbox, score, how, added = row
    place = tuple(np.frombuffer(bbox, FLOAT).tolist()) or None
    shown = None if source is None else os.fsdecode(source)
    return StoredFace(identifier, person, shown, sha256.hex(), place, score, how, added)


def _matrix(blobs: Sequence[bytes], dim: int, path: Path) -> FloatArray:
    """Return stored embeddings as (N, dim) float32. Raises GalleryError for one of another length or without one."""
    if any(len(blob) != dim * FLOAT.itemsize for blob in blobs):
        raise GalleryError(f"{path} is damaged: a template has another length", hint="see `facecli gallery verify`")
    matrix = np.frombuffer(b"".join(blobs), FLOAT).reshape(len(blobs), dim).astype(np.float32)
    if not np.isfinite(matrix).all():
        raise GalleryError(f"{path} is damaged: a template is not finite", hint="see `facecli gallery verify`")
    return matrix
