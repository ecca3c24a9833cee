"""The review of a face before it is enrolled: whether it can be seen, is like its person, and is one too many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.errors import ConflictError, EnoughError, FacecliError, LowQualityError
from facecli.gallery import names
from facecli.gallery.index import Index, unit
from facecli.gallery.nearest import nearest
from facecli.gallery.store import cache
from facecli.gallery.store.store import GalleryStore
from facecli.pipeline.results import ImageResult

RECENT = 2048  # faces of this enrolment that are compared one by one; with more the index is made anew


@dataclass(frozen=True, slots=True)
class Review:
    """The conditions on which faces are enrolled.

    strict: a face must be nearer to its person than to anybody else; the first of a person is taken as it is.
    min_quality: least quality (faces.quality), 0 to 1. max_templates: most templates of a person.
    """

    strict: bool = False
    min_quality: float | None = None
    max_templates: int | None = None


class Reviewer:
    """The review of the faces of one enrolment, one after another, beside those that the gallery has."""

    def __init__(self, review: Review, store: GalleryStore) -> None:
        self._review, self._store = review, store
        self._templates = {names.key(person.name): person.templates for person in store.people()}
        self._index: Index | None = None
        self._recent: list[tuple[str, NDArray[np.float64]]] = []  # name and embedding at length 1

    def fault(self, person: str, result: ImageResult) -> FacecliError | None:
        """Return why the face of a result, its only one, is not enrolled as a person; None if it is."""
        most, known = self._review.max_templates, self._templates.get(names.key(person), 0)
        if most is not None and known >= most:
            message = f"{person} has {known} templates already"
            return EnoughError(message, hint="raise {max_templates}", about="max_templates")
        return self._low(result) or (self._conflict(person, result) if self._review.strict else None)

    def enrolled(self, person: str, result: ImageResult) -> None:
        """Note a face that was enrolled."""
        key = names.key(person)
        self._templates[key] = self._templates.get(key, 0) + 1
        if self._review.strict and result.embeddings is not None:
            self._recent.append((person, unit(result.embeddings)[0]))
            if len(self._recent) > RECENT:
                self._index, self._recent = None, []

    def _low(self, result: ImageResult) -> LowQualityError | None:
        if self._review.min_quality is None:
            return None
        numbers = result.measures[0]["quality"]
        score = numbers["score"]
        if score is None or score >= self._review.min_quality:
            return None
        listed = ", ".join(f"{name} {value:.3g}" for name, value in numbers.items() if value is not None)
        message = f"the face in {result.source} can not be seen well enough ({listed})"
        return LowQualityError(message, hint="lower {min_quality}, or leave it out", about="min_quality")

    def _conflict(self, person: str, result: ImageResult) -> ConflictError | None:
        if result.embeddings is None:
            return None
        if self._index is None:
            self._index, self._recent = cache.open_index(self._store, "best"), []
        probe, key = unit(result.embeddings)[0], names.key(person)
        distances = self._nearest(self._index, probe, key)
        distances += [(float(1.0 - (own * probe).sum()), name) for name, own in self._recent]
        same = min((one for one, name in distances if names.key(name) == key), default=None)
        others = [(one, name) for one, name in distances if names.key(name) != key]
        if same is None or not others or min(others)[0] >= same:
            return None
        least, other = min(others)
        message = f"the face in {result.source} is nearer to {other} ({least:.3f}) than to {person} ({same:.3f})"
        return ConflictError(message, hint="look whom it shows, or leave out {strict}", about="strict")

    @staticmethod
    def _nearest(index: Index, probe: NDArray[np.float64], key: str) -> list[tuple[float, str]]:
        """Return the distances of the two nearest people of an index, and of the person of a key, if there is one."""
        ((people, found),) = nearest(probe[None], index, 2)
        distances = [(one, index.name(place)) for place, one in zip(people, found, strict=True)]
        own = np.array([place for place, name in enumerate(index.names) if names.key(name) == key], np.int64)
        if len(own):
            distances.append((float(index.exact(probe, own)[0]), index.name(own[0])))
        return distances
