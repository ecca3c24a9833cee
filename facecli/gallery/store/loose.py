"""Single faces of a gallery: those that are nobody's, the first of each person, and forgetting one."""

from __future__ import annotations

import os

import numpy as np

from facecli.gallery.store import cache
from facecli.gallery.store.records import Person, StoredFace
from facecli.gallery.store.store import FLOAT, GalleryStore
from facecli.types import FloatArray

COLUMNS = "face.id, person.name, picture.source, picture.sha256, face.bbox, face.score, face.how, picture.added"
TABLES = "face JOIN picture ON picture.id = face.picture LEFT JOIN person ON person.id = face.person"


def face(store: GalleryStore, number: int) -> StoredFace | None:
    """Return a face by its id, None if there is no such face."""
    rows = store.database.rows(f"SELECT {COLUMNS} FROM {TABLES} WHERE face.id = ?", (number,))  # noqa: S608
    return _stored(rows[0]) if rows else None


def of_nobody(store: GalleryStore, most: int) -> list[tuple[StoredFace, FloatArray]]:
    """Return the latest faces that are nobody's, each with its embedding (dim,) float32 in the gallery's space."""
    query = f"""SELECT {COLUMNS}, template.embedding FROM {TABLES} JOIN template ON template.face = face.id
        JOIN space ON space.id = template.space AND space.state = 'active'
        WHERE face.person IS NULL ORDER BY face.id DESC LIMIT ?"""  # noqa: S608
    found = store.database.rows(query, (most,))
    return [(_stored(row[:-1]), np.frombuffer(row[-1], FLOAT).astype(np.float32)) for row in found]


def rejected(store: GalleryStore, number: int) -> set[str]:
    """Return the names of people of whom a face was said not to be."""
    query = "SELECT person.name FROM rejection JOIN person ON person.id = rejection.person WHERE rejection.face = ?"
    return {str(row[0]) for row in store.database.rows(query, (number,))}


def embedding(store: GalleryStore, number: int) -> FloatArray | None:
    """Return the embedding (dim,) float32 of a face in the gallery's space, None if there is no such face."""
    query = """SELECT embedding FROM template JOIN space ON space.id = template.space AND space.state = 'active'
        WHERE template.face = ?"""
    rows = store.database.rows(query, (number,))
    return np.frombuffer(rows[0][0], FLOAT).astype(np.float32) if rows else None


def nearest(store: GalleryStore, person: str, probe: FloatArray) -> int | None:
    """Return the id of the face of a person that is likest to an embedding (dim,), None if they have none."""
    query = """SELECT face.id, template.embedding FROM face JOIN person ON person.id = face.person
        JOIN template ON template.face = face.id JOIN space ON space.id = template.space AND space.state = 'active'
        WHERE person.name = ?"""
    rows = store.database.rows(query, (person,))
    if not rows:
        return None
    templates = np.stack([np.frombuffer(row[1], FLOAT) for row in rows])
    return int(rows[int((templates @ probe / np.linalg.norm(templates, axis=1)).argmax())][0])


def make_person(store: GalleryStore, name: str) -> str:
    """Make a person without faces, if there is none of this name; return the name as it is kept."""
    with store.database.transaction():
        number = store.person_id(name)
        ((kept,),) = store.database.rows("SELECT name FROM person WHERE id = ?", (number,))
    return str(kept)


def first_faces(store: GalleryStore) -> dict[str, int]:
    """Return the id of the first face of each person that has a crop, by the person's uid."""
    query = """SELECT person.uid, min(face.id) FROM face JOIN person ON person.id = face.person
        WHERE face.crop IS NOT NULL GROUP BY person.id"""
    return {str(uid): int(number) for uid, number in store.database.rows(query)}


def with_crops(store: GalleryStore, person: Person) -> set[int]:
    """Return the ids of a person's faces of which a crop is kept."""
    query = "SELECT id FROM face WHERE person = ? AND crop IS NOT NULL"
    return {int(number) for (number,) in store.database.rows(query, (person.id,))}


def forget(store: GalleryStore, number: int) -> None:
    """Delete a face for good, with its template, its crop, and its picture if that shows nobody else.

    What was changed before can not be undone any more: it may have been this face's. Raises GalleryError, before
    anything is deleted, if another program reads the file.
    """
    store.database.check_unread()
    with store.database.transaction():
        store.database.change("DELETE FROM face WHERE id = ?", (number,))
        store.database.change("DELETE FROM picture WHERE id NOT IN (SELECT picture FROM face)")
        store.database.change("DELETE FROM journal")
        store.database.change("DELETE FROM operating_point")
    cache.discard(store.path)
    store.database.erase_traces()


def remove_if_empty(store: GalleryStore, person: Person) -> None:
    """Delete a person who has no faces, so that no name is left behind its last face."""
    with store.database.transaction():
        empty = "NOT EXISTS (SELECT 1 FROM face WHERE face.person = person.id)"
        store.database.change(f"DELETE FROM person WHERE id = ? AND {empty}", (person.id,))  # noqa: S608
    store.database.erase_traces()


def _stored(row: tuple[object, ...]) -> StoredFace:
    number, person, source, sha256, bbox, score, how, added = row
    assert isinstance(number, int) and isinstance(sha256, bytes) and isinstance(bbox, bytes)
    place = tuple(np.frombuffer(bbox, FLOAT).tolist()) or None
    shown = os.fsdecode(source) if isinstance(source, bytes) else None
    named = person if isinstance(person, str) else None
    return StoredFace(number, named, shown, sha256.hex(), place, score, str(how), str(added))  # type: ignore[arg-type]
