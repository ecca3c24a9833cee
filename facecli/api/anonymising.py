"""Anonymising for Python and for the commands: the plugins that find, name and prove faces, put together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.api.engine import Engine
from facecli.api.selection import Request
from facecli.errors import InputError, PluginError, UsageError
from facecli.hosting.choice import DETECTOR, TRACKER

if TYPE_CHECKING:
    from facecli.anonymise.analysis import Analysis
    from facecli.anonymise.choice import Chosen
    from facecli.anonymise.proof import Proof, Witness
    from facecli.anonymise.result import Anonymised
    from facecli.anonymise.veil import Veil
    from facecli.api.films import FilmTools
    from facecli.api.gallery import Gallery, Search
    from facecli.film.address import Address
    from facecli.film.reading import Film
    from facecli.gallery.decision import Identification
    from facecli.hosting.toolbox import Toolbox
    from facecli.pipeline.results import ImageResult
    from facecli.types import Detections, Image

# Detectors whose own threshold weighs false faces as heavily as missed ones. A face that is missed costs more here, and
# a false one is a blot on a wall; measured by benchmarks/anonymize.py.
MIN_SCORE = {"yunet": 0.5}


@dataclass(frozen=True, slots=True)
class AnonymousWish:
    """A wish of how to anonymise.

    veil: over each face. chosen: whose faces. tracker: follows faces through films. prove: whether all installed
    recognizers look at each face before and after. codec: of films, None for the usual one. sound: whether films keep
    it. max_pixels: of a frame. analyses: by film; a film that has one is not tracked again.
    """

    veil: Veil
    chosen: Chosen
    tracker: str = TRACKER
    prove: bool = False
    codec: str | None = None
    sound: bool = False
    max_pixels: int = 100_000_000
    analyses: Mapping[str, Analysis] = field(default_factory=dict)


def wary(engine: Engine) -> Engine:
    """Return an engine whose detector also gives faces that it is less sure of, unless the caller has set a score."""
    selection = engine.selection
    detector = selection.detector or (selection.project.detector if selection.project else DETECTOR)
    stated = "score_threshold" in selection.parameters.get(detector, {}) or selection.min_score is not None
    if stated or detector not in MIN_SCORE:
        return engine
    return engine.choosing(replace(selection, min_score=MIN_SCORE[detector]))


class Anonymizer:
    """Anonymises pictures and films, one after another. gallery: knows the chosen people, if any are named.

    Raises UsageError and PluginError as Engine.tools does, UsageError for names that nobody has.
    """

    def __init__(self, engine: Engine, wish: AnonymousWish, gallery: Gallery | None = None) -> None:
        if engine.selection.no_detect:
            raise UsageError("faces are looked for, which {no_detect} leaves out", about="no_detect")
        self.wish, self._gallery = wish, gallery
        if gallery is not None:
            gallery.store()
            gallery.engine = wary(gallery.engine)
        self.engine = wary(engine) if gallery is None else gallery.engine
        self._search: Search | None = None
        if gallery is not None:
            from facecli.gallery.rule import Wish

            self._search = gallery.search(Wish(None, None, None))
            wish.chosen.refuse_unknown(self._search.index.names, str(gallery.path))
        elif wish.analyses:
            words = [words for one in wish.analyses.values() for words in one.people().values()]
            wish.chosen.refuse_unknown(frozenset().union(*words), "the analysis")
        elif not wish.chosen.everybody:
            raise UsageError("names of people need a gallery", hint="give {gallery}", about="gallery")
        self.tools = self.engine.tools(Request(embed=gallery is not None), strict=False)
        self._films: FilmTools | None = None
        self._witnesses = self._installed() if wish.prove else None

    def picture(self, data: bytes, source: str, target: Path) -> Anonymised:
        """Write the copy of a picture file. Raises FacecliError; nothing is written then."""
        from facecli.anonymise import picture
        from facecli.anonymise.result import Anonymised
        from facecli.pipeline.stages import Stages
        from facecli.system.files import write_bytes

        flow = self.engine.flow(Request(), "all", keep_image=True)
        original = picture.opened(data, source, flow.limits)
        (result,) = Stages(self.tools, flow).process([original.image])
        if result.error is not None:
            raise result.error
        faces = self._covered(result)
        pixels = original.image.pixels.copy()
        self.wish.veil.lay(pixels, faces.bboxes if faces is not None else ())
        content = picture.encoded(pixels, original, target.suffix)
        witnesses = self._proved(original.image, content, faces, source)
        write_bytes(target, content, parents=False)
        return Anonymised(
            source,
            "picture",
            target,
            original.image.width,
            original.image.height,
            faces=len(result.indices),
            covered=0 if faces is None else len(faces),
            left_out=original.left_out(),
            witnesses=witnesses,
        )

    def film(self, address: Address, target: Path) -> Anonymised:
        """Write the copy of a film. Raises FacecliError; nothing is written then."""
        from facecli.anonymise import film
        from facecli.anonymise.coverage import covers
        from facecli.anonymise.result import Anonymised
        from facecli.film.reading import Film

        wish = self.wish
        with closing(Film(address, max_pixels=wish.max_pixels)) as opened:
            facts, left_out = opened.facts, opened.others(sound=wish.sound)
            analysis = self.analysis(opened)
            short = opened.short
        people = analysis.people()
        tracks = frozenset(track for track, words in people.items() if wish.chosen.covers(words))
        plan = film.Plan(analysis, tracks, covers(analysis, tracks), wish.veil, wish.codec, wish.sound)
        proof = self._proof()
        witnesses = film.write(address, target, plan, wish.max_pixels, proof)
        return Anonymised(
            address.source,
            "film",
            target,
            facts.width,
            facts.height,
            len(analysis.times),
            len(people),
            len(tracks),
            left_out,
            None if proof is None else witnesses,
            "short" if short else None,
        )

    @property
    def witnesses(self) -> Toolbox | None:
        """The recognizers that prove that faces are hidden, None where nobody asked for it."""
        return self._witnesses

    def _covered(self, result: ImageResult) -> Detections | None:
        """Return the faces of a picture that are to be covered, None if it has none."""
        if result.detections is None or self._search is None:
            return result.detections
        answers = self._search.answers(result, len(self._search.index.names))
        wanted = [row for row, one in enumerate(answers) if self.wish.chosen.covers(_words(one, self.wish.chosen))]
        return result.detections.select(wanted)

    def analysis(self, film: Film) -> Analysis:
        """Return where a film's faces are, from the analyses at hand or by tracking. Raises FacecliError."""
        analyses, source = self.wish.analyses, film.facts.source
        if not analyses:
            return self._tracked(film)
        found = analyses.get(source) or (next(iter(analyses.values())) if len(analyses) == 1 else None)
        if found is None:
            raise InputError(f"the analysis has no film {source}", hint=f"it has {', '.join([*analyses][:5])}")
        return found

    def _tracked(self, film: Film) -> Analysis:
        from facecli.anonymise.analysis import Analysis, Sight
        from facecli.api.films import FilmTools, FilmWish
        from facecli.tracking.events import FrameSeen, StreamEnded, TrackEnded, TrackJoined

        if self._films is None:
            named = self._gallery is not None
            self._films = FilmTools(self.engine, FilmWish(self.wish.tracker, join=named), self._gallery)
        analysis = Analysis()
        for event in self._films.follow(film):
            if isinstance(event, FrameSeen):
                sights = ((one.track, Sight(event.frame, one.bbox, one.score, one.landmarks)) for one in event.faces)
                analysis.add(event.time, sights)
            elif isinstance(event, TrackJoined):
                analysis.into[event.track] = event.into
            elif isinstance(event, TrackEnded) and event.answer is not None:
                analysis.names[event.track] = _words(event.answer, self.wish.chosen)
            elif isinstance(event, StreamEnded) and event.error is not None:
                raise event.error
        return analysis

    def _proof(self) -> Proof | None:
        if self._witnesses is None:
            return None
        from facecli.anonymise.proof import Proof
        from facecli.matching.rules import DecisionRequest, rules_for
        from facecli.pipeline.stages import Stages

        rules = rules_for(self._witnesses, DecisionRequest())
        return Proof(Stages(self._witnesses, self.engine.flow(Request(), "all")), rules)

    def _proved(
        self, before: Image, content: bytes, faces: Detections | None, source: str
    ) -> tuple[Witness, ...] | None:
        """Return the witnesses of a picture's copy, None without a proof. Raises RecognisableError."""
        proof = self._proof()
        if proof is None:
            return None
        from facecli.pictures import codec
        from facecli.types import Limits

        if faces is not None:
            proof.compare(before, codec.decode(content, source, Limits(before.pixels.size, len(content))), faces)
        return proof.refuse_recognised(source)

    def _installed(self) -> Toolbox:
        """Return all recognizers whose models are here."""
        from facecli.contract import RecognizerPlugin
        from facecli.hosting.identity import models_in_use

        registry, store = self.engine.loader.registry, self.engine.loader.store
        names = []
        for name in registry.names("recognizers"):
            try:
                plugin = registry.load("recognizers", name, RecognizerPlugin)
            except PluginError:  # `plugins list` tells of it
                continue
            if all(store.state(spec) == "installed" for spec in models_in_use(plugin, plugin.parameters)):
                names.append(name)
        selection = replace(self.engine.selection, recognizers=tuple(names), preset=None, flip=False)
        return self.engine.choosing(selection).tools(Request(embed=True, ensemble=True), strict=False)


def _words(answer: Identification, chosen: Chosen) -> frozenset[str]:
    """Return the names that a face goes by: where only some are covered, also of those whom it may be."""
    if chosen.only:
        return frozenset(one.person for one in answer.candidates if one.accepted)
    return frozenset() if answer.person is None else frozenset((answer.person,))
