"""A gallery as arrays: everything of it, for other programs and other galleries. exchange_files writes and reads them.

Arrays, one row for each face: person (empty for nobody's), kind, sha256 (N, 32) uint8, source, size (N, 2), bbox
(N, 4), landmarks (N, 5, 2), score, embedding (N, dim) float32, how; NaN stands for what there is not. rejection_face (a
row) and rejection_person: "not this person". identity (JSON) and dim: what the embeddings come from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecli.errors import DuplicateError, FacecliError, UsageError
from facecli.gallery import names
from facecli.gallery.space import Space
from facecli.gallery.store import faces, spaces
from facecli.gallery.store.records import NewFace
from facecli.gallery.store.store import FLOAT, GalleryStore

FORM = "facecli gallery, version 1"
DENSEST = 50  # times that a part may be larger than its part of the file: names and boxes repeat, embeddings do not
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Contents:
    """All of a gallery. crop: returns the JPEG that was kept of the face of a row, None without one."""

    arrays: Arrays
    crop: Callable[[int], bytes | None]


@dataclass(frozen=True, slots=True)
class Imported:
    """The outcome of an import: faces that were added, that were known, and what was wrong with others."""

    added: int
    known: int
    rejected: tuple[tuple[str, FacecliError], ...]


def contents(store: GalleryStore) -> Contents:
    """Return all of a gallery. Raises UsageError for an empty one."""
    space = store.space
    if space is None:
        raise UsageError("the gallery is empty: there is nothing to export", hint="see `facecli enroll`")
    query = """SELECT face.id, coalesce(person.name, ''), coalesce(person.kind, 'known'), picture.sha256,
        picture.source, picture.width, picture.height, face.bbox, face.landmarks, face.score, face.how,
        template.embedding
        FROM face JOIN picture ON picture.id = face.picture JOIN template ON template.face = face.id
        JOIN space ON space.id = template.space AND space.state = 'active'
        LEFT JOIN person ON person.id = face.person ORDER BY face.id"""
    rows = store.database.rows(query)
    place = {row[0]: number for number, row in enumerate(rows)}
    query = "SELECT face, person.name FROM rejection JOIN person ON person.id = rejection.person ORDER BY face"
    said = [row for row in store.database.rows(query) if row[0] in place]
    arrays: Arrays = {
        "form": np.array(FORM),
        "identity": np.array(space.text),
        "dim": np.array(space.dim),
        "person": np.array([row[1] for row in rows], np.str_),
        "kind": np.array([row[2] for row in rows], np.str_),
        "sha256": np.frombuffer(b"".join(row[3] for row in rows), np.uint8).reshape(-1, 32),
        "source": np.array(["" if row[4] is None else os.fsdecode(row[4]) for row in rows], np.str_),
        "size": np.array([row[5:7] for row in rows], np.int64).reshape(-1, 2),
        "bbox": _numbers([row[7] for row in rows], 4),
        "landmarks": _numbers([row[8] for row in rows], 10).reshape(-1, 5, 2),
        "score": np.array([np.nan if row[9] is None else row[9] for row in rows], np.float64),
        "how": np.array([row[10] for row in rows], np.str_),
        "embedding": _numbers([row[11] for row in rows], space.dim),
        "rejection_face": np.array([place[row[0]] for row in said], np.int64),
        "rejection_person": np.array([row[1] for row in said], np.str_),
    }
    return Contents(arrays, lambda row: spaces.crop(store, rows[row][0]))


def add(store: GalleryStore, other: Contents) -> Imported:
    """Add the faces of another gallery, all in one transaction.

    Raises UsageError for embeddings of another space than the gallery's, ValueError for a crop that is none.
    """
    arrays = other.arrays
    space = Space(json.loads(str(arrays["identity"])), int(arrays["dim"]))
    if (own := store.space) is not None:
        own.check(space)
    # Only who is ignored there asks who is here, which may be a million people.
    ignored = bool((arrays["kind"] == "ignored").any())
    before = {names.key(person.name) for person in store.people()} if ignored else set()
    added: dict[int, int] = {}
    known, rejected = 0, []
    with store.database.transaction():
        for row in range(len(arrays["person"])):
            person, face = str(arrays["person"][row]) or None, _face(arrays, row, other.crop(row))
            try:
                if person is not None and store.has(face.sha256, person):
                    known += 1
                    continue
                added[row] = store.insert(person, face, space, "import")
            except (DuplicateError, UsageError) as error:
                if isinstance(error, DuplicateError) and _stays(store, face, person):
                    known += 1
                else:
                    rejected.append((face.source, error))
                continue
            if arrays["kind"][row] == "ignored" and person is not None and names.key(person) not in before:
                store.database.change("UPDATE person SET kind = 'ignored' WHERE key = ?", (names.key(person),))
        for row, name in zip(arrays["rejection_face"].tolist(), arrays["rejection_person"].tolist(), strict=True):
            if row in added:
                sql = "INSERT OR IGNORE INTO rejection SELECT ?, id FROM person WHERE key = ?"
                store.database.change(sql, (added[row], names.key(name)))
    return Imported(len(added), known, tuple(rejected))


def _stays(store: GalleryStore, face: NewFace, person: str | None) -> bool:
    """Return whether a face that is here stays as it is: nothing is said about it, or something else was said here."""
    box = None if face.bbox is None else tuple(face.bbox.tolist())
    return person is None or faces.is_refused(store, face.sha256, box, person)


def _numbers(blobs: list[bytes | None], count: int) -> NDArray[np.float32]:
    """Return stored float32 values as (N, count); NaN where there are none."""
    nothing = np.full(count, np.nan, FLOAT).tobytes()
    joined = b"".join(blob or nothing for blob in blobs)
    return np.frombuffer(joined, FLOAT).reshape(len(blobs), count).astype(np.float32)


def _face(arrays: Arrays, row: int, crop: bytes | None) -> NewFace:
    def numbers(name: str) -> NDArray[np.float32] | None:
        values: NDArray[np.float32] = arrays[name][row]
        return None if np.isnan(values).any() else values

    score = float(arrays["score"][row])
    return NewFace(
        sha256=arrays["sha256"][row].tobytes(),
        source=str(arrays["source"][row]),
        width=int(arrays["size"][row][0]),
        height=int(arrays["size"][row][1]),
        bbox=numbers("bbox"),
        landmarks=numbers("landmarks"),
        score=None if np.isnan(score) else score,
        embedding=arrays["embedding"][row],
        crop=crop,
    )


def largest(size: int) -> int:
    """Return how many bytes a part of a file may have that takes `size` bytes in it."""
    return DENSEST * size + 10_000


def check(arrays: Arrays) -> None:
    """Raise ValueError or KeyError for arrays of other shapes and kinds than `contents` returns."""
    if str(arrays["form"]) != FORM:
        raise ValueError(f"its form is {str(arrays['form'])[:40]!r}")
    count, said, dim = len(arrays["person"]), len(arrays["rejection_face"]), int(arrays["dim"])
    shapes = {
        **dict.fromkeys(("person", "kind", "source", "how"), ("U", (count,))),
        "sha256": ("u", (count, 32)),
        "size": ("i", (count, 2)),
        "bbox": ("f", (count, 4)),
        "landmarks": ("f", (count, 5, 2)),
        "score": ("f", (count,)),
        "embedding": ("f", (count, dim)),
        "rejection_face": ("i", (said,)),
        "rejection_person": ("U", (said,)),
    }
    for name, (kind, shape) in shapes.items():
        if arrays[name].dtype.kind != kind or arrays[name].shape != shape:
            raise ValueError(f"{name} is {arrays[name].shape} {arrays[name].dtype}")
    with np.errstate(over="ignore"):
        embeddings = arrays["embedding"].astype(FLOAT, copy=False)  # as they are kept
    if not np.isfinite(embeddings).all() or not embeddings.any(axis=1).all():
        raise ValueError("an embedding is not finite, or zero")
    identity = json.loads(str(arrays["identity"]))
    if not {"recognizer", "detector", "parameters"} <= set(identity):
        raise ValueError("it does not say what its embeddings come from")
