"""Migrating: the faces of a gallery are embedded anew from their pictures, by another recognizer.

The old embeddings stay in use until all new ones are there. A run that was killed is finished by starting it again.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from facecli.errors import FacecliError, InputError, NoFaceError
from facecli.gallery.enrolment import River
from facecli.gallery.store import spaces
from facecli.gallery.store.faces import SAME_FACE
from facecli.gallery.store.spaces import PendingPicture
from facecli.gallery.store.store import GalleryStore
from facecli.geometry import overlap
from facecli.pictures.listing import expand
from facecli.pictures.sources import Source, failing, single
from facecli.pipeline.results import ImageResult
from facecli.types import Image, Limits


@dataclass(frozen=True, slots=True)
class Migrated:
    """One picture of a migration, after its transaction. faces: how many were embedded. error: why some were not."""

    source: str
    faces: int
    error: FacecliError | None = None


def migrate(store: GalleryStore, space: int, river: River, pictures: Path | None, limits: Limits) -> Iterator[Migrated]:
    """Yield one outcome per picture that has faces without a template in a space.

    space: its id. river: finds all faces and embeds them. pictures: a folder where the pictures lie now, under any
    names: they are known by the sha256 of their bytes; None looks where they were.
    """
    places = _places(pictures, limits)
    on_their_way: deque[PendingPicture] = deque()

    def opened() -> Iterator[Source | Image]:
        for one in spaces.pending(store, space):
            on_their_way.append(one)
            yield _opened(one, places, moved=pictures is not None)

    for result in river(opened()):
        yield _stored(on_their_way.popleft(), result, store, space)


def migrate_crops(store: GalleryStore, space: int, river: River) -> Iterator[Migrated]:
    """Yield one outcome per face without a template in a space, embedded from the crop that was kept of it.

    space, river: as in `migrate`.
    """
    on_their_way: deque[PendingPicture] = deque()

    def opened() -> Iterator[Source]:
        for one in spaces.pending_faces(store, space):
            on_their_way.append(one)
            yield _crop(one, store)

    for result in river(opened()):
        yield _stored(on_their_way.popleft(), result, store, space)


def rehearse(
    store: GalleryStore, space: int, pictures: Path | None, limits: Limits, *, from_crops: bool
) -> Iterator[Migrated]:
    """Yield what `migrate` or `migrate_crops` could embed: what is there, without looking for faces in it.

    space, pictures: as in `migrate`.
    """
    places = {} if from_crops else _places(pictures, limits)
    for one in (spaces.pending_faces if from_crops else spaces.pending)(store, space):
        source = _crop(one, store) if from_crops else _opened(one, places, moved=pictures is not None)
        try:
            source.read(limits)
        except FacecliError as error:
            yield Migrated(source.name, 0, error)
        else:
            yield Migrated(source.name, len(one.faces))


def _crop(picture: PendingPicture, store: GalleryStore) -> Source:
    """Return the crop of a face, under the name of its picture."""
    (face,) = picture.faces
    name = picture.source or f"face {face}"
    content = spaces.crop(store, face)
    if content is None:
        hint = "leave out {from_crops}, to take its picture"
        return failing(name, InputError(f"no crop of face {face}, in {name}, was kept", hint=hint, about="from_crops"))
    return Source(name, lambda _name, _limits, _large: content)


def _places(folder: Path | None, limits: Limits) -> dict[bytes, str]:
    """Return the names of the pictures below a folder by the sha256 of their bytes."""
    found = {}
    for source in () if folder is None else expand((str(folder),)):
        try:
            found[hashlib.sha256(source.read(limits)).digest()] = source.name
        except FacecliError:  # a picture that is needed is told as missing
            continue
    return found


def _opened(picture: PendingPicture, places: dict[bytes, str], *, moved: bool) -> Source:
    name = places.get(picture.sha256) if moved else picture.source
    if name is None:
        shown = picture.source or picture.sha256.hex()
        hint = "name the folder where it lies with {pictures}"
        return failing(shown, InputError(f"{shown} is not there", hint=hint, about="pictures"))
    source = single(name)

    def read(_name: str, limits: Limits, large: Callable[[], None]) -> bytes:
        data = source.read(limits, large)
        if hashlib.sha256(data).digest() != picture.sha256:
            message = f"{name} is another picture than the one that was enrolled"
            raise InputError(message, hint="name the folder of the old one with {pictures}", about="pictures")
        return data

    return Source(name, read)


def _stored(picture: PendingPicture, result: ImageResult, store: GalleryStore, space: int) -> Migrated:
    if result.error is not None or result.embeddings is None:
        return Migrated(result.source, 0, result.error or NoFaceError(f"no face found in {result.source}"))
    rows = _matched(picture, result)
    known = [(face, row) for face, row in zip(picture.faces, rows, strict=True) if row is not None]
    if known:
        spaces.add(store, space, [face for face, _ in known], result.embeddings[[row for _, row in known]])
    lost = len(rows) - len(known)
    message = f"{lost} of the {len(rows)} faces in {result.source} were not found again"
    error = NoFaceError(message, hint="choose another {detector}", about="detector") if lost else None
    return Migrated(result.source, len(known), error)


def _matched(picture: PendingPicture, result: ImageResult) -> list[int | None]:
    """Return for each stored face the row of the result that is at its place, None where there is none."""
    if picture.bboxes is None or result.detections is None:
        return [0 if len(result.indices) == 1 and len(picture.faces) == 1 else None] * len(picture.faces)
    if not len(result.detections):
        return [None] * len(picture.faces)
    overlaps = overlap(picture.bboxes, result.detections.bboxes)
    return [int(row.argmax()) if row.max() >= SAME_FACE else None for row in overlaps]
