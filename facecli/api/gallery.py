"""A gallery of people for Python and for the commands: enrolling, and telling who a face is (1:N)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from facecli.api.engine import Engine
from facecli.api.picture import Picture
from facecli.api.reading import Readable, sources
from facecli.api.selection import Request
from facecli.errors import UsageError
from facecli.gallery import labelling
from facecli.gallery.admission import Enrolled
from facecli.gallery.decision import Identification, identify
from facecli.gallery.enrolment import UNREVIEWED, enroll
from facecli.gallery.index import Index, Score
from facecli.gallery.migration import Migrated, migrate, migrate_crops
from facecli.gallery.review import Review
from facecli.gallery.rule import Rule, Wish, rule_for
from facecli.gallery.space import Space
from facecli.gallery.store import searching, spaces
from facecli.gallery.store.records import Person
from facecli.gallery.store.store import GalleryStore
from facecli.matching.operating_points import OperatingPointStore
from facecli.pictures.memory import open_any

if TYPE_CHECKING:
    from facecli.gallery.labelling import Labelled
    from facecli.hosting.toolbox import Toolbox
    from facecli.pipeline.flow import Flow, Stopwatch
    from facecli.pipeline.results import ImageResult

REQUEST = Request(embed=True)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The outcome of an enrolment: how many pictures were added or known, and those that were rejected, with errors.

    not_this_person: those whose face somebody said is not of their person.
    """

    added: int
    known: int
    rejected: tuple[Enrolled, ...]
    not_this_person: tuple[Enrolled, ...] = ()


@dataclass(frozen=True, slots=True)
class Migration:
    """The outcome of a migration: faces that were embedded, pictures that failed, and whether the gallery switched."""

    faces: int
    failed: tuple[Migrated, ...]
    switched: bool


@dataclass(frozen=True, slots=True)
class Search:
    """All that answers probes: the people of a gallery as they are now, and the rule."""

    index: Index
    rule: Rule

    def answers(self, result: ImageResult, top: int = 1) -> tuple[Identification, ...]:
        """Return who the faces of a picture are, in the order of its rows; nobody for a picture that failed."""
        if result.error is not None or result.embeddings is None:
            return ()
        return identify(result.embeddings, self.index, self.rule, top)


@dataclass(frozen=True, slots=True)
class IdentifiedPicture:
    """A picture with who its faces are: `people` has one answer for each of `picture.faces`, in their order."""

    picture: Picture
    people: tuple[Identification, ...]


@dataclass(slots=True)
class Gallery:
    """The people of one gallery file. `facecli.Faces.gallery` returns one.

    Where the Faces name no recognizer or detector of their own, the gallery's are taken. A gallery file is made by the
    first `enroll`. As a context manager it closes the file at the end of the block.
    """

    path: Path
    engine: Engine = field(repr=False)
    _store: GalleryStore | None = field(default=None, repr=False)

    def enroll(
        self,
        pictures: Readable | Iterable[Readable],
        name: str | None = None,
        *,
        face: str | int | None = None,
        strict: bool = False,
        min_quality: float | None = None,
        max_templates: int | None = None,
        crops: bool = False,
    ) -> Enrolment:
        """Store the face of each picture, and return how many were added, known and rejected.

        pictures: one or many; folders stand for their pictures. name: the person whom all of them show; None takes the
        names of folders, people/NAME/picture.jpg, and `pictures` are then names of folders or files. face: which face
        of a picture, "only" by default. strict: reject a face that is nearer to somebody else than to its person.
        min_quality: reject a face of less quality, 0 to 1. max_templates: most that a person may have.
        crops: keep a crop of each face, from which `migrate` can embed it anew. Raises UsageError for a gallery of
        another recognizer, GalleryError.
        """
        limits = self.flow().limits
        if name is not None:
            labelled = labelling.named(sources(pictures, limits), name)
        else:
            several = not isinstance(pictures, (str, os.PathLike)) and isinstance(pictures, Iterable)
            labelled = labelling.by_folder([_path(one) for one in (pictures if several else (pictures,))])
        review = Review(strict, min_quality, max_templates)
        outcomes = list(self.enrolled(labelled, self.flow(face), review=review, crops=crops))
        count = [outcome.status for outcome in outcomes].count
        rejected, refused = (
            tuple(outcome for outcome in outcomes if outcome.status == status)
            for status in ("rejected", "not_this_person")
        )
        return Enrolment(count("added"), count("known"), rejected, refused)

    def identify(
        self,
        picture: Readable,
        *,
        top: int = 1,
        threshold: float | None = None,
        fpir: float | None = None,
        margin: float | None = None,
        score: Score = "blend",
        people: Sequence[str] = (),
        face: str | int | None = None,
        search: str = "exact",
    ) -> IdentifiedPicture:
        """Return who the faces of a picture are. Raises FacecliError, NoFaceError for a picture without a face.

        top: candidates to list for each face. threshold: largest distance that names somebody; fpir: rate of strangers
        that may be named, instead; docs/gallery.md says what is done without either. margin: least distance between the
        first and the second person. score: blend, best or centroid. people: the only ones to search among. search:
        "faiss" is faster among 20,000 templates and more, and misses a few; a URL, postgresql://user@host/name,
        searches in that database.
        """
        answering = self.search(Wish(threshold, fpir, margin), score, people, search)
        flow = self.flow(face, default="all")
        (result,) = self.engine.pipeline(self.tools(), flow).stages.process([open_any(picture, flow.limits)])
        if result.error is not None:
            raise result.error
        return IdentifiedPicture(Picture.of(result), answering.answers(result, top))

    def migrate(
        self, pictures: str | os.PathLike[str] | None = None, *, from_crops: bool = False, partial: bool = False
    ) -> Migration:
        """Embed all faces anew from their pictures, with these Faces' recognizer, and say what became of them.

        pictures: a folder where they lie now, under any names; None looks where they were. from_crops: take the crops
        that were kept. partial: switch even if some faces have no new embedding, and are not found any more. A run that
        ended early goes on where it was. Raises UsageError if the recognizer is the gallery's own, GalleryError.
        """
        number, outcomes = self.migrating(None if pictures is None else Path(pictures), from_crops=from_crops)
        done = list(outcomes)
        failed = tuple(outcome for outcome in done if outcome.error is not None)
        switched = spaces.switch(self.store(), number, partial=partial)
        return Migration(sum(outcome.faces for outcome in done), failed, switched)

    def migrating(self, pictures: Path | None, *, from_crops: bool = False) -> tuple[int, Iterator[Migrated]]:
        """Return the id of the space that is being filled, and an iterator of one outcome per picture or crop."""
        store, flow = self.store(), self.flow("all", need_face=False)
        number = spaces.begin(store, self.space())
        river = self.engine.pipeline(self.tools(), flow).run
        if from_crops:
            return number, migrate_crops(store, number, river)
        return number, migrate(store, number, river, pictures, flow.limits)

    def people(self) -> list[Person]:
        """Return everybody in the gallery, by name."""
        return self.store().people()

    def store(self, *, create: bool = False) -> GalleryStore:
        """Return the opened file. create: make it if it is missing. Raises GalleryError, OutputError."""
        if self._store is None:
            self._store = GalleryStore(self.path, create=create)
            if (space := self._store.space) is not None:
                self.engine = _of_space(self.engine, space)
        return self._store

    def tools(self) -> Toolbox:
        """Return the plugins that embed faces; their loading begins now, in the background."""
        return self.engine.tools(REQUEST)

    def space(self) -> Space:
        """Return the space that these plugins embed into."""
        plugin = self.tools().recognizer_plugin
        assert plugin is not None
        return Space(self.tools().identity(plugin), plugin.dim)

    def flow(
        self,
        face: str | int | None = None,
        *,
        default: str = "only",
        need_face: bool = True,
        keep_image: bool = False,
    ) -> Flow:
        """Return the settings of the river.

        default: the choice among faces where neither caller nor Faces make one. need_face: whether a picture without a
        face is an error.
        """
        return self.engine.flow(REQUEST, face, default=default, need_face=need_face, keep_image=keep_image)

    def enrolled(
        self,
        pictures: Iterable[Labelled],
        flow: Flow,
        clock: Stopwatch | None = None,
        *,
        review: Review = UNREVIEWED,
        crops: bool = False,
    ) -> Iterator[Enrolled]:
        """Return an iterator of one outcome per picture; what it has given is stored. flow: see `flow`.

        Raises UsageError, before any work, for a choice of several faces and for a gallery of another recognizer.
        """
        if flow.faces == "all":
            message = "{face} all is for no person: a picture shows each person once"
            raise UsageError(message, hint="choose one face", about="face")
        store, space = self.store(create=True), self.space()
        if (own := store.space) is not None:
            own.check(space)
        if review.min_quality is not None:
            flow = replace(flow, measures=("quality",))
        if crops:
            flow = replace(flow, keep_image=True)
        river = self.engine.pipeline(self.tools(), flow, clock).run
        return enroll(pictures, store, space, river, review, keep_crops=crops)

    def search(self, wish: Wish, score: Score = "blend", people: Sequence[str] = (), way: str = "exact") -> Search:
        """Return what answers probes. Raises UsageError for an empty gallery, and as rule_for does.

        way: of going through a large gallery.
        """
        store, tools = self.store(), self.tools()
        own, plugin = store.space, tools.recognizer_plugin
        if own is None:
            raise UsageError(f"nobody is enrolled in {self.path}", hint="see `facecli enroll`")
        own.check(self.space())
        index = searching.open_index(store, way, score, people)
        assert plugin is not None
        if not len(index.people):
            raise UsageError(f"nobody is enrolled in {self.path}", hint="see `facecli enroll`")
        points = OperatingPointStore(tools.store.root).matching(tools.identity(plugin))
        kept = () if people or score != "blend" else store.points()
        return Search(index, rule_for(wish, index, plugin, points, kept))

    def close(self) -> None:
        """Close the file; the models stay with the Faces."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def __enter__(self) -> Gallery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _of_space(engine: Engine, space: Space) -> Engine:
    """Return an engine whose plugins are a gallery's where the caller has named none."""
    selection = engine.selection
    parameters: dict[str, dict[str, Any]] = {}
    if selection.preset is not None:
        return engine
    if not selection.recognizers:
        parameters[space.recognizer] = dict(space.identity["parameters"])
        selection = replace(selection, recognizers=(space.recognizer,))
    if selection.detector is None and space.detector is not None and not selection.no_detect:
        parameters.setdefault(space.detector, {}).update(space.identity["detector_parameters"])
        selection = replace(selection, detector=space.detector)
    for name, values in selection.parameters.items():
        parameters.setdefault(name, {}).update(values)
    return engine.choosing(replace(selection, parameters=parameters))


def _path(picture: object) -> str:
    if not isinstance(picture, (str, os.PathLike)):
        raise UsageError("a picture in memory has no folder that names its person", hint="give {name}", about="name")
    return os.fsdecode(picture)
