"""Enrolling: pictures with names go through the stages and into the store, one transaction each, in order.

A picture is known by the sha256 of its bytes, so a second run does nothing for what the first has stored, and a run
that was killed is finished by starting it again.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from facecli.errors import InputError, NoFaceError
from facecli.gallery.admission import Admission, Enrolled
from facecli.gallery.labelling import Labelled
from facecli.gallery.review import Review, Reviewer
from facecli.gallery.space import Space
from facecli.gallery.store.store import GalleryStore
from facecli.pictures.sources import Source, failing
from facecli.pipeline.results import ImageResult
from facecli.types import Image, Limits

UNREVIEWED = Review()
# Runs pictures through the stages: one result each, in order.
River = Callable[[Iterator[Source | Image]], Iterable[ImageResult]]


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
        picture = on_their_way.popleft()
        put = partial(store.add, space=space, how=picture.labelled.how)
        yield _settled(picture, result, Admission(store, reviewer, put, keep_crops))


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


def _settled(picture: _Picture, result: ImageResult, admission: Admission) -> Enrolled:
    source, person, error = picture.labelled.source, picture.labelled.person, result.error
    if isinstance(error, _KnownError):
        return Enrolled(source, person, "known")
    if error is None and len(result.indices) != 1:
        error = NoFaceError(f"one face is needed and {len(result.indices)} were chosen in {source}")
    if error is not None or person is None:
        return Enrolled(source, person, "rejected", error=error)
    return admission.settle(person, picture.sha256, result)
