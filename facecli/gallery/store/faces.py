"""All faces that a gallery keeps, those of nobody too, and what was said about them: the beginning of a clustering."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from facecli.errors import GalleryError
from facecli.gallery.store.store import FLOAT, GalleryStore
from facecli.types import FloatArray

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
    bbox: tuple[float, ...] | None
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
            tuple(np.frombuffer(bbox, FLOAT).tolist()) or None,
            person,
        )
        for face, sha256, source, bbox, person, _ in rows
    )
    people = {one.id: KeptPerson(one.name, one.uid, one.kind == "ignored") for one in store.people()}
    said = store.database.rows("SELECT face, person FROM rejection ORDER BY face, person")
    return Kept(faces, embeddings, people, tuple(said))
