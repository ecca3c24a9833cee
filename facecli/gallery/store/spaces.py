"""A second space beside the active one: it is filled picture by picture, and takes the first one's place at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from facecli.errors import UsageError
from facecli.gallery import crops
from facecli.gallery.space import Space
from facecli.gallery.store.store import FLOAT, GalleryStore
from facecli.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PendingPicture:
    """A picture with faces that have no template in a space yet.

    source: its name when it was stored; None where it was forgotten. faces: ids. bboxes: (N, 4) float32 xyxy px of the
    faces; None if the whole picture is the face.
    """

    source: str | None
    sha256: bytes
    faces: tuple[int, ...]
    bboxes: FloatArray | None


def begin(store: GalleryStore, space: Space) -> int:
    """Return the id of a space that is being filled; one that was begun before goes on, one of another kind goes away.

    Raises UsageError for the space that the gallery has already, and for a gallery without faces.
    """
    active = store.space
    if active is None:
        raise UsageError("the gallery is empty: there is nothing to migrate", hint="see `facecli enroll`")
    if active.fingerprint == space.fingerprint:
        message = "the gallery is of this recognizer and detector already"
        raise UsageError(message, hint="name another {recognizer}", about="recognizer")
    with store.database.transaction(revises=False):
        others = "SELECT id FROM space WHERE state = 'building' AND fingerprint != ?"
        store.database.change(f"DELETE FROM template WHERE space IN ({others})", (space.fingerprint,))  # noqa: S608
        store.database.change("DELETE FROM space WHERE state = 'building' AND fingerprint != ?", (space.fingerprint,))
        found = store.database.rows("SELECT id FROM space WHERE fingerprint = ?", (space.fingerprint,))
        if found:
            return int(found[0][0])
        sql = "INSERT INTO space (fingerprint, identity, dim, state) VALUES (?, ?, ?, 'building')"
        return store.database.change(sql, (space.fingerprint, space.text, space.dim))


def pending(store: GalleryStore, number: int) -> list[PendingPicture]:
    """Return the pictures with faces that have no template in a space. number: its id."""
    query = """SELECT picture.id, picture.source, picture.sha256, face.id, face.bbox FROM face
        JOIN picture ON picture.id = face.picture
        WHERE face.id NOT IN (SELECT face FROM template WHERE space = ?) ORDER BY picture.id, face.id"""
    found = []
    for _, rows in groupby(store.database.rows(query, (number,)), key=lambda row: row[0]):
        own = list(rows)
        boxes = b"".join(row[4] for row in own)
        bboxes = np.frombuffer(boxes, FLOAT).reshape(-1, 4).astype(np.float32) if boxes else None
        source = None if own[0][1] is None else os.fsdecode(own[0][1])
        found.append(PendingPicture(source, own[0][2], tuple(row[3] for row in own), bboxes))
    return found


def pending_faces(store: GalleryStore, number: int) -> list[PendingPicture]:
    """Return the faces that have no template in a space, each with its place in its crop. number: the space's id."""
    query = """SELECT face.id, picture.source, picture.sha256, face.bbox, picture.width, picture.height FROM face
        JOIN picture ON picture.id = face.picture
        WHERE face.id NOT IN (SELECT face FROM template WHERE space = ?) ORDER BY face.id"""
    found = []
    for face, source, sha256, box, width, height in store.database.rows(query, (number,)):
        bbox = np.frombuffer(box, FLOAT).astype(np.float32)
        bboxes = crops.placed(bbox, width, height)[None] if len(bbox) else None
        found.append(PendingPicture(None if source is None else os.fsdecode(source), sha256, (face,), bboxes))
    return found


def pending_crops(store: GalleryStore, number: int) -> int:
    """Return how many of the faces that have no template in a space have a crop. number: its id."""
    query = """SELECT count(*) FROM face WHERE crop IS NOT NULL
        AND id NOT IN (SELECT face FROM template WHERE space = ?)"""
    ((count,),) = store.database.rows(query, (number,))
    return int(count)


def crop(store: GalleryStore, face: int) -> bytes | None:
    """Return the JPEG of a face's crop; None where none was kept. face: its id."""
    found = store.database.rows("SELECT crop FROM face WHERE id = ? AND crop IS NOT NULL", (face,))
    return bytes(found[0][0]) if found else None


def add(store: GalleryStore, number: int, faces: Sequence[int], embeddings: FloatArray) -> None:
    """Store templates of faces in a space. embeddings: (N, dim) float32. Faces that are gone by now are left out."""
    with store.database.transaction(revises=False):
        for face, embedding in zip(faces, embeddings, strict=True):
            sql = "INSERT OR REPLACE INTO template SELECT id, ?, ? FROM face WHERE id = ?"
            store.database.change(sql, (number, embedding.astype(FLOAT).tobytes(), face))


def switch(store: GalleryStore, number: int, *, partial: bool = False) -> bool:
    """Let a space take the active one's place, whose templates are deleted; return whether it did.

    It does not while a face has no template in it, unless `partial`: such a face is no longer searched for.
    """
    with store.database.transaction():
        query = "SELECT count(*) FROM face WHERE id NOT IN (SELECT face FROM template WHERE space = ?)"
        ((missing,),) = store.database.rows(query, (number,))
        if missing and not partial:
            return False
        old = "SELECT id FROM space WHERE state = 'active'"
        store.database.change(f"DELETE FROM template WHERE space IN ({old})")  # noqa: S608
        store.database.change("DELETE FROM space WHERE state = 'active'")
        store.database.change("UPDATE space SET state = 'active' WHERE id = ?", (number,))
    return True
