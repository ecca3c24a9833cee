"""Questions about pictures, answered with the documents of the command line: detect, verify, embed, analyze, identify.

Everything here works in a thread of the queue. The models are those of one Faces, loaded once.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from facecli.api.engine import Engine
from facecli.api.faces import Faces
from facecli.api.films import FilmTools, FilmWish
from facecli.api.gallery import Gallery, Search
from facecli.api.selection import LOOKING, Request
from facecli.errors import FacecliError, UsageError
from facecli.gallery.rule import Wish
from facecli.gallery.store import loose
from facecli.hosting.choice import ATTRIBUTES
from facecli.matching.rules import DecisionRequest
from facecli.output import galleries, identifications, records, verifications
from facecli.output.records import Record
from facecli.pictures.sources import Source
from facecli.pipeline.results import ImageResult

RATES = (0.1, 0.03, 0.01, 0.001)  # of strangers who are named
NAMED = ("threshold", "threshold_source")
KEPT_SEARCHES = 8  # rules of one gallery, so that templates are not read for every request


@dataclass(frozen=True, slots=True)
class Sift:
    """The choice among the faces of a picture.

    face: only, largest, center, score, all, or an index; None is the usual choice of the question. min_score: least
    score; min_face_size: px of the longer side. require_face: a picture without a face is an error.
    """

    face: str | None = None
    min_score: float = 0.0
    min_face_size: float = 0.0
    require_face: bool = False


EVERYBODY = Sift("all")


class Looks:
    """Answers questions about pictures. Methods raise FacecliError for pictures that can not be used."""

    def __init__(self, faces: Faces, gallery: Gallery) -> None:
        self.faces, self.gallery = faces, gallery
        self._searches: dict[tuple[int, Wish, tuple[str, ...]], Search] = {}
        self._lock = threading.Lock()

    def detect(self, picture: Source, sift: Sift) -> Record:
        """Return the document of `facecli detect`."""
        tools = self.faces.engine.tools(Request(), strict=False)
        header = records.header("detect", detector=records.described(tools, tools.detector_plugin))
        return _whole(header, records.image(self.look(picture, Request(), sift)))

    def embed(self, picture: Source, sift: Sift) -> Record:
        """Return the document of `facecli embed`."""
        tools = self.faces.engine.tools(Request(embed=True), strict=False)
        header = records.header(
            "embed",
            detector=records.described(tools, tools.detector_plugin),
            recognizer=records.embedder(tools),
        )
        return _whole(header, records.image(self.look(picture, Request(embed=True), sift), embeddings=True))

    def analyze(self, picture: Source, attributes: Sequence[str], sift: Sift, *, embed: bool = False) -> Record:
        """Return the document of `facecli analyze`. attributes: empty for the usual ones."""
        request = self.faces.engine.request(sorted(set(attributes)) or ATTRIBUTES, embed=embed)
        tools = self.faces.engine.tools(request, strict=False)
        header = records.header("analyze", detector=records.described(tools, tools.detector_plugin))
        if embed:
            header["recognizer"] = records.embedder(tools)
        header["attributes"] = {one.attribute: records.described(tools, one) for one in tools.attribute_plugins}
        header["measures"] = list(request.measures)
        return _whole(header, records.image(self.look(picture, request, sift), embeddings=embed))

    def verify(self, first: Source, second: Source, wish: DecisionRequest, sift: Sift, *, anti_spoof: bool) -> Record:
        """Return the document of `facecli verify`, without the time that it took."""
        judge = self.faces.judge(wish, sift.face, anti_spoof=anti_spoof)
        verification = judge.pair(first, second)
        seconds = {stage: round(spent, 4) for stage, spent in verification.seconds.items()}
        document = verifications.document(verification, judge.tools)
        return document | {"seconds": seconds | {"total": round(sum(verification.seconds.values()), 4)}}

    def identify(
        self, picture: Source, wish: Wish, top: int, people: Sequence[str], sift: Sift, *, faces: bool = False
    ) -> Record:
        """Return the document of `facecli identify`. people: names of the only ones to search among; empty for all.

        faces: tell of each candidate the id of the enrolled face that is likest, too.
        """
        search = self.search(wish, people)
        result = self.recognised(picture, sift)
        tools = self.gallery.tools()
        header = records.header("identify", gallery=self.described())
        header |= {"detector": records.described(tools, tools.detector_plugin), "recognizer": records.embedder(tools)}
        header |= identifications.rule(search.rule)
        image = identifications.image(result, search.answers(result, top), search.rule, str)
        if faces and result.embeddings is not None:
            for face, embedding in zip(image["faces"], result.embeddings, strict=True):
                for candidate in face["candidates"]:
                    candidate["face"] = loose.nearest(self.gallery.store(), candidate["person"], embedding)
        return _whole(header, image)

    def described(self) -> Record:
        """Return which gallery it is; the place of its file is the operator's affair and left out."""
        return galleries.gallery(self.gallery.store()) | {"path": self.gallery.path.name}

    def search(self, wish: Wish | None = None, people: Sequence[str] = ()) -> Search:
        """Return what answers probes, as the gallery is now. Raises UsageError for an empty gallery."""
        chosen, revision = Wish() if wish is None else wish, self.gallery.store().revision
        key = (revision, chosen, tuple(people))
        with self._lock:
            found = self._searches.get(key)
        if found is None:
            found = self.gallery.search(chosen, "blend", people)
            with self._lock:  # what an older gallery knew is let go, and the oldest of many wishes
                kept = [(one, held) for one, held in self._searches.items() if one[0] == revision]
                self._searches = dict([*kept[1 - KEPT_SEARCHES :], (key, found)])
        return found

    def thresholds(self) -> Record:
        """Return the largest distances that name somebody, by the rate of strangers who are named; null if unknown."""
        points = []
        for rate in RATES:
            try:
                rule = self.search(Wish(fpir=rate)).rule
            except UsageError as error:
                points.append({"fpir": rate, "threshold": None, "threshold_source": error.message})
            else:
                points.append({"fpir": rate} | {name: identifications.rule(rule)[name] for name in NAMED})
        return {"gallery": self.described(), "points": points}

    def recognised(self, picture: Source, sift: Sift, *, keep_image: bool = False) -> ImageResult:
        """Return a picture with embeddings of its faces, by the gallery's plugins."""
        flow = self.gallery.flow(sift.face, default="all", need_face=sift.require_face, keep_image=keep_image)
        flow = replace(flow, min_score=sift.min_score, min_face_size=sift.min_face_size)
        return _sound(self.gallery.engine.pipeline(self.gallery.tools(), flow).stages.process([picture])[0])

    def named(self, picture: Source, attributes: Sequence[str], sift: Sift = EVERYBODY) -> ImageResult:
        """Return a picture with embeddings and attributes of its faces, by the gallery's plugins, and its pixels."""
        engine = self.gallery.engine
        request = engine.request(tuple(attributes), embed=True)
        flow = engine.flow(request, sift.face, need_face=sift.require_face, keep_image=True)
        flow = replace(flow, min_score=sift.min_score, min_face_size=sift.min_face_size)
        return _sound(engine.pipeline(engine.tools(request, strict=False), flow).stages.process([picture])[0])

    def film(self, attributes: tuple[str, ...]) -> FilmTools:
        """Return what follows and names the faces of a camera, with the gallery's plugins."""
        return FilmTools(self.gallery.engine, FilmWish(join=False, attributes=attributes), self.gallery)

    def look(self, picture: Source, request: Request, sift: Sift, *, detect: bool = True) -> ImageResult:
        """Return a picture with the answers to a request. Raises FacecliError if it can not be used.

        detect: False takes the whole picture as a face.
        """
        engine = self.faces.engine if detect else _without_detector(self.faces.engine)
        flow = engine.flow(request, sift.face, need_face=sift.require_face)
        flow = replace(flow, min_score=sift.min_score, min_face_size=sift.min_face_size)
        return _sound(engine.pipeline(engine.tools(request, strict=False), flow).stages.process([picture])[0])

    def attributes(self) -> tuple[str, ...]:
        """Return the usual attributes of which a model is installed."""
        found = []
        for name in ATTRIBUTES:
            try:
                self.faces.engine.request((name,))
            except FacecliError:  # no model of it
                continue
            found.append(name)
        return tuple(found)

    def warm(self) -> None:
        """Load what the usual questions need. Raises ModelError, DeviceError."""
        self.faces.engine.tools(Request(), strict=False).wait()
        self.gallery.tools().wait()


def _without_detector(engine: Engine) -> Engine:
    return engine.choosing(replace(engine.selection, no_detect=True, **LOOKING))


def _whole(header: Record, image: Record) -> Record:
    """Return the document about one picture."""
    return header | {"images": [image], "error": None}


def _sound(result: ImageResult) -> ImageResult:
    if result.error is not None:
        raise result.error
    return result


def decision(metric: str | None, threshold: float | None, fmr: float | None) -> DecisionRequest:
    """Return the wish of how to decide about a pair. Raises UsageError for a metric that does not exist."""
    from facecli.kinds import METRICS

    if metric is not None and metric not in METRICS:
        raise UsageError(f"there is no {{metric}} {metric!r:.40}", hint=f"use {', '.join(METRICS)}", about="metric")
    chosen: Any = metric
    return DecisionRequest(chosen, threshold, fmr, None, None)
