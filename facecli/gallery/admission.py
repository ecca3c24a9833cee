"""The way of one face into a gallery, from whatever has embedded it: reviewed, stored, and told what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from facecli.errors import DuplicateError, FacecliError
from facecli.gallery import crops
from facecli.gallery.review import Reviewer
from facecli.gallery.store import faces
from facecli.gallery.store.records import NewFace
from facecli.gallery.store.store import GalleryStore
from facecli.pipeline.results import ImageResult

Status = Literal["added", "known", "rejected", "not_this_person"]


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


@dataclass(frozen=True, slots=True)
class Admission:
    """The conditions on which faces come into a store. put: stores a person's face, and returns its id."""

    store: GalleryStore
    reviewer: Reviewer
    put: Callable[[str, NewFace], int]
    keep_crop: bool = False

    def settle(self, person: str, sha256: bytes, result: ImageResult) -> Enrolled:
        """Store the face of a result, its only one, as a person's unless something speaks against it.

        sha256: of the picture's bytes. When this returns, what it tells is as `put` has left it. Raises GalleryError.
        """
        source, store = result.source, self.store
        if store.has(sha256, person):
            return Enrolled(source, person, "known")
        if faces.is_refused(store, sha256, place_of(result), person):
            return Enrolled(source, person, "not_this_person")
        if (fault := self.reviewer.fault(person, result)) is not None:
            return Enrolled(source, person, "rejected", error=fault)
        try:
            added = self.put(person, new_face(result, sha256, keep_crop=self.keep_crop))
        except DuplicateError as duplicate:
            if store.has(sha256, person):  # another process was first
                return Enrolled(source, person, "known")
            return Enrolled(source, person, "rejected", error=duplicate)
        self.reviewer.enrolled(person, result)
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
