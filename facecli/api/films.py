"""Films for Python and for the commands: the plugins that follow the faces of a film, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from facecli.api.engine import Engine
from facecli.api.selection import Request
from facecli.errors import UsageError
from facecli.hosting.choice import TRACKER
from facecli.system.files import is_folder

if TYPE_CHECKING:
    from facecli.api.gallery import Gallery, Search
    from facecli.film.frame import Excerpt
    from facecli.gallery.decision import Identification
    from facecli.hosting.toolbox import Toolbox
    from facecli.pipeline.flow import Stopwatch
    from facecli.pipeline.stages import Stages
    from facecli.tracking.events import Event
    from facecli.tracking.finding import Finding
    from facecli.tracking.joining import Likeness
    from facecli.tracking.naming import Identify
    from facecli.tracking.river import Crew, River, Source
    from facecli.types import FloatArray


@dataclass(frozen=True, slots=True)
class FilmWish:
    """The questions about a film.

    tracker: the plugin that follows faces. every: the detector looks at each `every`th frame, and optical flow carries
    the boxes between. join: join tracks by their faces. attributes: names as in Faces.analyze. window: seconds that
    probabilities are averaged over. face: the choice among a frame's faces. crops: the best looks that each track's end
    has.
    """

    tracker: str = TRACKER
    every: int = 1
    join: bool = True
    attributes: tuple[str, ...] = ()
    window: float = 1.0
    face: str | int | None = None
    crops: int = 1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise UsageError(f"{{every}} must be 1 or more, got {self.every}", about="every")
        if self.crops < 1:
            raise UsageError(f"{{crops_per_track}} must be 1 or more, got {self.crops}", about="crops_per_track")
        if not self.window > 0:
            raise UsageError(f"{{window}} must be more than 0 seconds, got {self.window}", about="window")


class FilmTools:
    """The plugins for films; their loading begins now, in the background.

    gallery: names the tracks, if given. search: how it does, None for the gallery's usual rule. candidates: to list for
    each track.

    Raises UsageError and PluginError as Engine.tools does, ModelError if no model of an attribute is installed.
    """

    def __init__(
        self,
        engine: Engine,
        wish: FilmWish,
        gallery: Gallery | None = None,
        search: Search | None = None,
        candidates: int = 3,
    ) -> None:
        if engine.selection.no_detect:
            raise UsageError("a film's faces are looked for, which {no_detect} leaves out", about="no_detect")
        if gallery is not None:
            gallery.store()
            engine = gallery.engine
        self.engine, self.wish, self._gallery = engine, wish, gallery
        self.tracking = engine.tools(Request(tracker=wish.tracker), strict=False)
        self.recognizing = engine.tools(Request(embed=True), strict=False) if wish.join or gallery else None
        self._attributes = engine.request(wish.attributes) if wish.attributes else None
        self.attributes = None if self._attributes is None else engine.tools(self._attributes, strict=False)
        self._search, self._candidates = search, candidates

    def follow(self, film: Source, excerpt: Excerpt | None = None) -> Iterator[Event]:
        """Return an iterator of the events of one film."""
        return self.river(film.facts.source).events(film, excerpt)

    def river(self, source: str, identify: Identify | None = None, revision: Callable[[], int] | None = None) -> River:
        """Return what follows the faces of one film.

        source: its name. identify, revision: who a face is, of a gallery that changes meanwhile; see tracking.naming.
        """
        from facecli.tracking.river import River

        return River(source, self._crew(source, identify, revision or (lambda: 0)))

    def likeness(self) -> Likeness:
        """Return the rule for when two faces of a film are one person's; there must be a recognizer."""
        from facecli.matching.metrics import pairwise
        from facecli.matching.rules import DecisionRequest, rule_for
        from facecli.tracking.joining import Likeness

        tools = self.recognizing
        assert tools is not None
        assert tools.recognizer_plugin is not None
        rule = rule_for(tools, tools.recognizer_plugin, DecisionRequest(preset=self.engine.selection.preset))
        return Likeness(partial(pairwise, metric=rule.metric), rule.threshold)

    def finding(self, clock: Stopwatch | None = None) -> Finding:
        """Return what finds the faces of one film's frames. clock: takes the time."""
        from facecli.pipeline.flow import Stopwatch
        from facecli.tracking.finding import Finding

        return Finding(self._stages(self.tracking, clock or Stopwatch()), self.wish.every)

    def _crew(self, source: str, identify: Identify | None, revision: Callable[[], int]) -> Crew:
        from facecli.pipeline.flow import Stopwatch
        from facecli.tracking.moods import Moods
        from facecli.tracking.naming import Naming, Recognizing
        from facecli.tracking.river import Crew

        clock, wish = Stopwatch(), self.wish
        plugin = self.tracking.tracker_plugin
        assert plugin is not None
        recognizing = None if self.recognizing is None else Recognizing(self._stages(self.recognizing, clock))
        naming = moods = None
        if self._gallery is not None and recognizing is not None:
            identify = identify or partial(_identified, self._searching(self._gallery), self._candidates)
            naming = Naming(recognizing, identify, source, revision)
        if self.attributes is not None:
            moods = Moods(self._stages(self.attributes, clock), source, wish.window)
        return Crew(
            finding=self.finding(clock),
            tracker=self.tracking.make_tracker(),
            clock=clock,
            image=plugin.image,
            recognizing=recognizing,
            likeness=None if recognizing is None else self.likeness(),
            join=wish.join,
            crops=wish.crops,
            jobs=self.engine.workload.jobs,
            naming=naming,
            moods=moods,
        )

    def _stages(self, tools: Toolbox, clock: Stopwatch) -> Stages:
        from facecli.pipeline.stages import Stages

        return Stages(tools, self.engine.flow(Request(), self.wish.face), clock)

    def _searching(self, gallery: Gallery) -> Search:
        from facecli.gallery.rule import Wish

        if self._search is None:
            self._search = gallery.search(Wish(None, None, None))
        return self._search


def followed(
    engine: Engine, gallery: Gallery | None, film: str, wish: FilmWish, excerpt: Excerpt | None, retries: int | None
) -> Iterator[Event]:
    """Open a film and return an iterator of its events. Raises FacecliError. retries: as in film.live.open_film."""
    from facecli.film.address import address_of
    from facecli.film.frame import MAX_PIXELS
    from facecli.film.live import open_film

    tools = FilmTools(engine, wish, gallery)
    opened = open_film(address_of(film), max_pixels=engine.workload.max_pixels or MAX_PIXELS, retries=retries)

    def events() -> Iterator[Event]:
        try:
            yield from tools.follow(opened, excerpt)
        finally:
            opened.close()

    return events()


def _identified(search: Search, candidates: int, embedding: FloatArray) -> Identification:
    from facecli.gallery.decision import identify

    return identify(embedding[None], search.index, search.rule, candidates)[0]


def names_of(films: str | Sequence[str]) -> list[str]:
    """Return the films that names stand for; a folder stands for the films below it, in order.

    Raises UsageError for a folder without films.
    """
    from pathlib import Path

    from facecli.film.address import films_below

    found: list[str] = []
    for name in [films] if isinstance(films, str) else films:
        if not is_folder(Path(name)):
            found.append(name)
        elif below := films_below(Path(name)):
            found += below
        else:
            raise UsageError(f"no films in the folder {name}", hint="films are told by their suffixes")
    return found
