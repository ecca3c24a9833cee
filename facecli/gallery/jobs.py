"""A job's faces into a gallery: what many machines have embedded, shard by shard, without a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from facecli.errors import AmbiguousFaceError, FacecliError, InputError, NoFaceError
from facecli.gallery.admission import Admission, Enrolled
from facecli.gallery.enrolment import UNREVIEWED
from facecli.gallery.review import Review, Reviewer
from facecli.gallery.space import Space
from facecli.gallery.store.store import GalleryStore
from facecli.matching.stored_job import StoredShard
from facecli.pipeline.results import ImageResult
from facecli.types import Detections

Label = Callable[[str], str]  # a picture's name to its person's


def enroll(
    shards: Iterable[StoredShard],
    store: GalleryStore,
    label: Label,
    review: Review = UNREVIEWED,
    *,
    how: str = "enroll",
) -> Iterator[Enrolled]:
    """Yield one outcome per picture of a job, in order, each as soon as what it tells is on the disk.

    A shard is a transaction; where the review is strict, which looks for others in the gallery, a face is one. label:
    raises FacecliError for a picture of nobody. how: the way, kept with each face. Raises UsageError for embeddings of
    another space than the gallery's, GalleryError.
    """
    reviewer = Reviewer(review, store)
    for shard in shards:
        space = Space(shard.stored.identity, shard.stored.rows.shape[1])
        if (own := store.space) is not None:
            own.check(space)
        admission = Admission(store, reviewer, partial(store.insert, space=space, how=how))
        rows: dict[int, list[int]] = {}
        for row, place in enumerate(shard.places):
            rows.setdefault(place, []).append(row)
        size = 1 if review.strict else max(1, len(shard.pictures))
        for start in range(0, len(shard.pictures), size):
            with store.database.transaction():
                outcomes = [
                    _settled(label, admission, picture, _result(shard, picture, rows.get(picture["picture"], [])))
                    for picture in shard.pictures[start : start + size]
                ]
            yield from outcomes


def _settled(label: Label, admission: Admission, picture: Mapping[str, Any], result: ImageResult) -> Enrolled:
    """Store the face of a picture, within a transaction of the caller's, and return what became of it."""
    source, person = result.source, None
    try:
        person = label(source)
        _check(result)
    except FacecliError as error:
        return Enrolled(source, person, "rejected", error=error)
    return admission.settle(person, bytes.fromhex(picture["sha256"]), result)


def _result(shard: StoredShard, picture: Mapping[str, Any], rows: list[int]) -> ImageResult:
    """Return a picture as the stages gave it. rows: of its faces."""
    error = None
    if picture["error_code"] is not None:
        hint = "{retry_failed} of the job's command tries it again"
        error = InputError(picture["error_message"], hint=hint, about="retry_failed")
    found = None
    if rows and not np.isnan(shard.bboxes[rows]).any():
        landmarks = shard.landmarks[rows]
        found = Detections(shard.bboxes[rows], shard.scores[rows], None if np.isnan(landmarks).any() else landmarks)
    return ImageResult(
        picture["source"],
        picture["width"],
        picture["height"],
        indices=tuple(shard.stored.faces[row] for row in rows),
        detections=found,
        embeddings=shard.stored.rows[rows],
        error=error,
    )


def _check(result: ImageResult) -> None:
    """Raise what speaks against enrolling a picture: its error, no face, or several."""
    if result.error is not None:
        raise result.error
    source, count = result.source, len(result.indices)
    if count == 0:
        raise NoFaceError(f"no face was found in {source}", hint="give another picture")
    if count > 1:
        raise AmbiguousFaceError(f"one face is needed and {count} were found in {source}", hint="cut the picture")
