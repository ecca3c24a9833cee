"""All faces that a gallery keeps, those of nobody too, and what was said about them."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from facecli.errors import GalleryError
from facecli.gallery import names
from facecli.gallery.store.store import FLOAT, GalleryStore
from facecli.geometry import overlap
from facecli.types import FloatArray

SAME_FACE = 0.5  # overlap of two boxes in one picture (intersection over union) that are of one face
Box = tuple[float, ...]

FACES = """SELECT face.id, picture.sha256, picture.source, face.bbox, person.id, template.embedding
    FROM face JOIN picture ON picture.id = face.picture JOIN template ON template.face = face.id
    JOIN space ON space.id = template.space AND space.state = 'active'
    LEFT JOIN person ON person.id = face.person ORDER BY face.id"""


@dataclass(frozen=True, slots=True)
class KeptFace:
    """A face of a gallery. sha256: of its picture's bytes. bbox: xyxy px, None if the whole picture is the face.

    source: None where it was forgotten. person: id of its person, None for nobody's.
    """

    id: int
    sha256: bytes
    source: str | None
    bbox: Box | None
    person: int | None


@dataclass(frozen=True, slots=True)
class KeptPerson:
    """A person of a gallery. uid: never given to another. ignored: recognised and never named."""

    name: str
    uid: str
    ignored: bool


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The faces of a gallery with their embeddings, (N, dim) float32. people: by id.

    rejections: (face's id, person's id), "not this person".
    """

    faces: tuple[KeptFace, ...]
    embeddings: FloatArray
    people: dict[int, KeptPerson]
    rejections: tuple[tuple[int, int], ...]


def kept(store: GalleryStore) -> Kept:
    """Return all faces that have an embedding in the active space. Raises GalleryError for one that is damaged."""
    space = store.space
    dim = 1 if space is None else space.dim
    rows = store.database.rows(FACES)
    if any(len(row[5]) != dim * FLOAT.itemsize for row in rows):
        message = f"{store.path} is damaged: a template has another length"
        raise GalleryError(message, hint="see `facecli gallery verify`")
    embeddings = np.frombuffer(b"".join(row[5] for row in rows), FLOAT).reshape(-1, dim).astype(np.float32)
    if not np.isfinite(embeddings).all():
        raise GalleryError(f"{store.path} is damaged: a template is not finite", hint="see `facecli gallery verify`")
    faces = tuple(
        KeptFace(
            face,
            sha256,
            None if source is None else os.fsdecode(source),
            _box(bbox),
            person,
        )
        for face, sha256, source, bbox, person, _ in rows
    )
    people = {one.id: KeptPerson(one.name, one.uid, one.kind == "ignored") for one in store.people()}
    said = store.database.rows("SELECT face, person FROM rejection ORDER BY face, person")
    return Kept(faces, embeddings, people, tuple(said))


def is_refused(store: GalleryStore, sha256: bytes, bbox: Box | None, name: str) -> bool:
    """Return whether somebody said that a face of a picture is not of the person of a name.

    sha256: of the picture's bytes. bbox: xyxy px, as a detector finds it now; None if the whole picture is the face.
    """
    query = """SELECT face.bbox FROM rejection JOIN face ON face.id = rejection.face
        JOIN picture ON picture.id = face.picture JOIN person ON person.id = rejection.person
        WHERE picture.sha256 = ? AND person.key = ?"""
    said = store.database.rows(query, (sha256, names.key(name)))
    return any(shared(_box(kept), bbox) >= SAME_FACE for (kept,) in said)


def shared(a: Box | None, b: Box | None) -> float:
    """Return the overlap of two faces' boxes in one picture, intersection over union; None stands for all of it.

    A whole picture overlaps with another one by 1, with a box by 0.
    """
    if a is None or b is None:
        return float(a is b)
    return float(overlap(np.array([a], np.float32), np.array([b], np.float32))[0, 0])


def _box(stored: bytes) -> Box | None:
    return tuple(np.frombuffer(stored, FLOAT).tolist()) or None
