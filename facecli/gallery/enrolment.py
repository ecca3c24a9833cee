"""Enrolling: pictures with names go through the stages and into the store, one transaction each, in order.

A picture is known by the sha256 of its bytes, so a second run does nothing for what the first has stored, and a run
that was killed is finished by starting it again.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from facecli.errors import DuplicateError, FacecliError, InputError, NoFaceError
from facecli.gallery import crops
from facecli.gallery.labelling import Labelled
from facecli.gallery.review import Review, Reviewer
from facecli.gallery.space import Space
from facecli.gallery.store import faces
from facecli.gallery.store.records import NewFace
from facecli.gallery.store.store import GalleryStore
from facecli.pictures.sources import Source, failing
from facecli.pipeline.results import ImageResult
from facecli.types import Image, Limits

Status = Literal["added", "known", "rejected", "not_this_person"]
UNREVIEWED = Review()
# Runs pictures through the stages: one result each, in order.
River = Callable[[Iterator[Source | Image]], Iterable[ImageResult]]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One picture of an enrolment, after its transaction.

    status: added; known (the same bytes are enrolled for this person); not_this_person (somebody said so of this face);
    or rejected, by `error`. face: id of the stored face, if it was added; otherwise nothing was done.
    """

    source: str
    person: str | None
    status: Status
    face: int | None = None
    error: FacecliError | None = None


class _KnownError(InputError):
    """Ends a picture's way through the stages early: it is enrolled already."""


@dataclass(slots=True)
class _Picture:
    """A picture on its way; its sha256 is there as soon as its bytes are read."""

    labelled: Labelled
    sha256: bytes = b""


def enroll(
    pictures: Iterable[Labelled],
    store: GalleryStore,
    space: Space,
    river: River,
    review: Review = UNREVIEWED,
    *,
    keep_crops: bool = False,
) -> Iterator[Enrolled]:
    """Yield one outcome per picture, in order, each as soon as what it tells is on the disk.

    space: the space that the river's embeddings are in. review: the conditions; with min_quality the river has to
    measure the quality. keep_crops: store a crop of each face; the river has to keep the pictures. Raises GalleryError,
    and what the river raises; what was yielded before is stored.
    """
    on_their_way: deque[_Picture] = deque()
    reviewer = Reviewer(review, store)

    def opened() -> Iterator[Source | Image]:
        for labelled in pictures:
            picture = _Picture(labelled)
            on_their_way.append(picture)
            yield _opened(picture, store)

    for result in river(opened()):
        yield _stored(on_their_way.popleft(), result, store, space, reviewer, keep_crop=keep_crops)


def _opened(picture: _Picture, store: GalleryStore) -> Source | Image:
    """Return what the stages read: the picture, which is hashed on its way and goes no further if it is known."""
    labelled = picture.labelled
    person = labelled.person
    if labelled.error is not None or person is None:
        return failing(labelled.source, labelled.error or InputError("it has no name"))
    if isinstance(labelled.picture, Image):
        pixels = labelled.picture.pixels
        picture.sha256 = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        known = store.has(picture.sha256, person)
        return failing(labelled.source, _KnownError("known")) if known else labelled.picture
    source = labelled.picture

    def read(_name: str, limits: Limits, large: Callable[[], None]) -> bytes:
        data = source.read(limits, large)
        picture.sha256 = hashlib.sha256(data).digest()
        if store.has(picture.sha256, person):
            raise _KnownError("known")
        return data

    return Source(source.name, read)


def _stored(
    picture: _Picture,
    result: ImageResult,
    store: GalleryStore,
    space: Space,
    reviewer: Reviewer,
    *,
    keep_crop: bool,
) -> Enrolled:
    source, person, error = picture.labelled.source, picture.labelled.person, result.error
    if error is None and len(result.indices) != 1:
        error = NoFaceError(f"one face is needed and {len(result.indices)} were chosen in {source}")
    # A copy of the file may have been stored since its bytes were read.
    copy = error is None and person is not None and store.has(picture.sha256, person)
    if copy or isinstance(error, _KnownError):
        return Enrolled(source, person, "known")
    if error is None and person is not None:
        if faces.is_refused(store, picture.sha256, place_of(result), person):
            return Enrolled(source, person, "not_this_person")
        error = reviewer.fault(person, result)
    if error is not None or person is None:
        return Enrolled(source, person, "rejected", error=error)
    try:
        face = new_face(result, picture.sha256, keep_crop=keep_crop)
        added = store.add(person, face, space, picture.labelled.how)
    except DuplicateError as duplicate:
        if store.has(picture.sha256, person):  # another process was first
            return Enrolled(source, person, "known")
        return Enrolled(source, person, "rejected", error=duplicate)
    reviewer.enrolled(person, result)
    return Enrolled(source, person, "added", added)


def place_of(result: ImageResult) -> tuple[float, ...] | None:
    """Return the place of a result's only face, xyxy px; None if the whole picture is the face."""
    return None if result.detections is None else tuple(result.detections.bboxes[0].tolist())


def new_face(result: ImageResult, sha256: bytes, *, keep_crop: bool) -> NewFace:
    """Return the face of a picture with one face and its embedding, ready to be stored. sha256: of the file's bytes.

    keep_crop: store its crop as well; the result must have kept its picture.
    """
    detections, embeddings = result.detections, result.embeddings
    assert embeddings is not None and result.width is not None and result.height is not None
    landmarks = None if detections is None else detections.landmarks
    bbox = None if detections is None else detections.bboxes[0]
    return NewFace(
        sha256=sha256,
        source=result.source,
        width=result.width,
        height=result.height,
        bbox=bbox,
        landmarks=None if landmarks is None else landmarks[0],
        score=None if detections is None else float(detections.scores[0]),
        embedding=embeddings[0],
        crop=crops.cut(result.image, bbox) if keep_crop and result.image is not None else None,
    )
