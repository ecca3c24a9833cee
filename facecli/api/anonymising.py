"""Anonymising for Python and for the commands: the plugins that find, name and prove faces, put together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.api.engine import Engine
from facecli.api.selection import Request
from facecli.api.witnesses import proof_by, witnesses_of
from facecli.errors import InputError, UsageError
from facecli.hosting.choice import DETECTOR, TRACKER

if TYPE_CHECKING:
    from facecli.anonymise.analysis import Analysis
    from facecli.anonymise.choice import Chosen
    from facecli.anonymise.picture import Original
    from facecli.anonymise.proof import Witness
    from facecli.anonymise.result import Anonymised
    from facecli.anonymise.veil import Veil
    from facecli.api.films import FilmTools
    from facecli.api.gallery import Gallery, Search
    from facecli.api.reading import Readable
    from facecli.film.address import Address
    from facecli.film.reading import Film
    from facecli.gallery.decision import Identification
    from facecli.pictures.sources import Source
    from facecli.pipeline.results import ImageResult
    from facecli.types import Detections, Image, Limits

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

    witnesses: the recognizers that prove that faces are hidden, None where nobody asked for it.

    Raises UsageError and PluginError as Engine.tools does, UsageError for names that nobody has.
    """

    def __init__(self, engine: Engine, wish: AnonymousWish, gallery: Gallery | None = None) -> None:
        if engine.selection.no_detect:
            raise UsageError("faces are looked for, which {no_detect} leaves out", about="no_detect")
        if gallery is not None:
            gallery.store()
            gallery = replace(gallery, engine=wary(gallery.engine))  # the caller's stays as it is
        self.wish, self._gallery = wish, gallery
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
        self.witnesses = witnesses_of(self.engine) if wish.prove else None

    def copy(self, picture: Readable, target: Path | None) -> Anonymised:
        """Write the copy of a picture in any form, or of the film of a path. Raises FacecliError.

        target: None writes no file, of a picture.
        """
        from facecli.anonymise.picture import Original
        from facecli.film.address import is_film, recorded
        from facecli.output.overwriting import refuse_inputs
        from facecli.pictures.codec import check_suffix
        from facecli.pictures.memory import open_any
        from facecli.types import Image

        name = os.fsdecode(picture) if isinstance(picture, (str, os.PathLike)) else None
        if name is not None and target is not None:
            refuse_inputs(target, [name], "output")
        if name is not None and is_film(name):
            return self.film(recorded(name), _film_target(target, self.wish.codec))
        if target is not None:
            check_suffix(target.suffix)
        limits = self.engine.flow(Request()).limits
        opened = open_any(picture, limits)
        if isinstance(opened, Image):
            return self.picture(Original(opened), target)
        return self.read_picture(opened, target, limits)

    def read_picture(self, source: Source, target: Path | None, limits: Limits) -> Anonymised:
        """Write the copy of a picture file, which is read within limits. Raises FacecliError."""
        from facecli.anonymise import picture

        return self.picture(picture.opened(source.read(limits), source.name, limits), target)

    def picture(self, original: Original, target: Path | None) -> Anonymised:
        """Write the copy of a decoded picture. Raises FacecliError; nothing is written then."""
        from facecli.anonymise import picture
        from facecli.anonymise.result import Anonymised
        from facecli.pipeline.stages import Stages
        from facecli.system.files import write_bytes
        from facecli.types import Image

        image = original.image
        (result,) = Stages(self.tools, self.engine.flow(Request(), "all", keep_image=True)).process([image])
        if result.error is not None:
            raise result.error
        faces = self._covered(result)
        pixels = image.pixels.copy()
        self.wish.veil.lay(pixels, faces.bboxes if faces is not None else ())
        if target is None:
            witnesses = self._proved(image, Image(pixels, image.source), faces)
        else:
            content = picture.encoded(pixels, original, target.suffix)
            witnesses = self._proved(image, content, faces)
            write_bytes(target, content, parents=False)
        return Anonymised(
            image.source,
            "picture",
            target,
            image.width,
            image.height,
            faces=len(result.indices),
            covered=0 if faces is None else len(faces),
            left_out=original.left_out(),
            witnesses=witnesses,
            pixels=pixels,
        )

    def film(self, address: Address, target: Path) -> Anonymised:
        """Write the copy of a film. Raises FacecliError; nothing is written then."""
        from facecli.anonymise import film
        from facecli.anonymise.coverage import covers
        from facecli.anonymise.result import Anonymised
        from facecli.film.reading import Film
        from facecli.film.writing import check_sound, form_of

        wish = self.wish
        with closing(Film(address, max_pixels=wish.max_pixels)) as opened:
            facts, left_out = opened.facts, opened.others(sound=wish.sound)
            if wish.sound:
                check_sound(form_of(target), opened.sounds())
            analysis = self.analysis(opened)
            short = opened.short
        people = analysis.people()
        tracks = frozenset(track for track, words in people.items() if wish.chosen.covers(words))
        plan = film.Plan(analysis, tracks, covers(analysis, tracks), wish.veil, wish.codec, wish.sound)
        proof = None if self.witnesses is None else proof_by(self.witnesses, self.engine)
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
        if found.origin is not None and (other := found.origin.difference(film.facts)) is not None:
            message = f"{source} is not the film that was analysed, {found.origin.source}: {other}"
            raise InputError(message, hint="analyse this film, as it is now")
        return found

    def _tracked(self, film: Film) -> Analysis:
        from facecli.anonymise.analysis import Analysis, Sight
        from facecli.api.films import FilmTools, FilmWish
        from facecli.tracking.events import FrameSeen, StreamEnded, TrackEnded, TrackJoined

        if self._films is None:
            named = self._gallery is not None
            everybody = 1 if self._search is None else len(self._search.index.names)
            wish = FilmWish(self.wish.tracker, join=named)
            self._films = FilmTools(self.engine, wish, self._gallery, self._search, everybody)
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

    def _proved(self, before: Image, after: Image | bytes, faces: Detections | None) -> tuple[Witness, ...] | None:
        """Return the witnesses of a picture's copy, pixels or a file. Raises RecognisableError."""
        if self.witnesses is None:
            return None
        from facecli.pictures import codec
        from facecli.types import Limits

        if isinstance(after, bytes):
            after = codec.decode(after, before.source, Limits(before.pixels.size, len(after)))
        proof = proof_by(self.witnesses, self.engine)
        if faces is not None:
            proof.compare(before, after, faces)
        return proof.refuse_recognised(before.source)


def _words(answer: Identification, chosen: Chosen) -> frozenset[str]:
    """Return the names that a face goes by: where only some are covered, also of those whom it may be."""
    if chosen.only:
        return frozenset(one.person for one in answer.candidates if one.accepted)
    return frozenset() if answer.person is None else frozenset((answer.person,))


def _film_target(target: Path | None, codec: str | None) -> Path:
    from facecli.film.writing import check

    if target is None:
        raise UsageError("the copy of a film is a file", hint="name {output}", about="output")
    check(target, codec)
    return target
