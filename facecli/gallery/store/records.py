"""The values that go into a gallery's store and come out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a gallery.

    uid: never given to another person. kind: known, unnamed or ignored. pictures, templates: how many the person has.
    """

    id: int
    uid: str
    name: str
    kind: str
    created: str
    pictures: int
    templates: int


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """A face to be stored, with the picture that it is in.

    sha256: of the picture file's bytes, 32 bytes. source: the picture's name. bbox: (4,) float32 xyxy px; None if the
    whole picture is the face. landmarks: (5, 2) float32 px or None. embedding: (dim,) float32. crop: JPEG, or None.
    """

    sha256: bytes
    source: str
    width: int
    height: int
    bbox: FloatArray | None
    landmarks: FloatArray | None
    score: float | None
    embedding: FloatArray
    crop: bytes | None = None


@dataclass(frozen=True, slots=True)
class StoredFace:
    """A face of a gallery. person: its person's name, or None. source: None where it was forgotten."""

    id: int
    person: str | None
    source: str | None
    sha256: str
    bbox: tuple[float, ...] | None
    score: float | None
    how: str
    added: str


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """All templates of a space: what a search looks through.

    embeddings: (N, dim) float32, as the recognizer gave them. faces, people: (N,) ids of the row's face and person, in
    ascending order of the person, then the face. names: person's id -> name. revision: the gallery's. ignored: ids of
    people who are recognised and never named.
    """

    embeddings: FloatArray
    faces: Sequence[int] | NDArray[np.int64]
    people: Sequence[int] | NDArray[np.int64]
    names: Mapping[int, str]
    revision: int
    ignored: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Point:
    """A threshold of a gallery with its FPIR, `rate`: the share of searches for strangers that name somebody.

    threshold: largest distance that is still accepted. people, searches: the numbers that it was measured with.
    """

    rate: float
    threshold: float
    people: int
    searches: int
