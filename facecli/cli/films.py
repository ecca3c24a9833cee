"""The loop of commands that follow films: events to the sink, and to the files that a film leaves."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.cli import progress
from facecli.cli.wording import option
from facecli.errors import FacecliError, InputError, UsageError
from facecli.system.ending import heeded
from facecli.system.files import is_folder

if TYPE_CHECKING:
    from facecli.api.films import FilmTools
    from facecli.cli.settings import FilmSettings, InputSettings
    from facecli.film.address import Address
    from facecli.film.live import Live
    from facecli.film.reading import Film
    from facecli.output.sink import Sink
    from facecli.output.track_crops import Crops
    from facecli.output.tracks import Films
    from facecli.pictures.sources import Source

Record = dict[str, Any]
INTERRUPTED = 130  # as cli.main tells it


def films_of(reading: InputSettings) -> list[str]:
    """Return the films, cameras and streams that inputs name; empty where they are pictures.

    A folder without pictures stands for its films. Raises UsageError for films among pictures or beside a list.
    """
    from facecli.film.address import films_below, is_film
    from facecli.pictures.listing import expand

    films: list[str] = []
    pictures = reading.files_from or reading.files_from0
    for name in reading.inputs:
        if is_film(name):
            films.append(name)
        elif is_folder(Path(name)) and next(expand([name])).name == name and (below := films_below(Path(name))):
            films += below
        else:
            pictures = name
    if films and pictures:
        raise UsageError(f"{films[0]} is a film among pictures", hint="ask for films and pictures apart, films by name")
    return films


def refusing(sources: Iterator[Source]) -> Iterator[Source]:
    """Yield the sources that a list of pictures names; films among them fail instead of being read."""
    from facecli.film.address import is_film
    from facecli.pictures.sources import failing

    for one in sources:
        if not is_film(one.name):
            yield one
            continue
        message = f"{one.name} is a film in a list of pictures"
        yield failing(one.name, InputError(message, hint="name films as arguments, without a list"))


def inputs_of(names: Sequence[str]) -> int | None:
    """Return the number of inputs for wiring.open_faces: None for films, which have many frames; 1 if one is live."""
    from facecli.film.address import address_of

    return 1 if any(address_of(name).live for name in names) else None


class Run:
    """One run of `facecli track` over films. output: the file of what is told, None for standard output.

    failed: films that could not be read to their end. stopped: whether a signal has ended a live source. known: whether
    anybody of the gallery was seen.
    """

    def __init__(
        self, tools: FilmTools, settings: FilmSettings, names: Sequence[str], max_pixels: int, output: Path | None
    ) -> None:
        from facecli.cli import film_places
        from facecli.cli.film_copies import Copies
        from facecli.film.address import address_of
        from facecli.output.track_crops import Crops
        from facecli.output.tracks import Films

        self._tools, self._settings, self._names, self._max_pixels = tools, settings, names, max_pixels
        self._films: Films = Films(embeddings=settings.embeddings, wording=option)
        self._crops: Crops | None = None
        self.failed, self.stopped, self.known = 0, False, False
        addresses = [address_of(name) for name in names]
        live = {one.live for one in addresses}
        if len(live) > 1:
            raise UsageError("a stream would wait for the end of a film beside it", hint="start one command for each")
        self._at_once = len(names) > 1 and True in live
        self._lives: list[Live] = []
        sources = [one.source for one in addresses]
        targets = film_places.targets(settings.annotate, addresses)
        film_places.check(settings, names, sources, targets, output)
        self._copies = Copies(targets, settings.codec, settings.audio == "copy", max_pixels)
        if settings.crops is not None:
            self._crops = Crops(settings.crops, sources)

    @property
    def status(self) -> int:
        """The exit code."""
        return INTERRUPTED if self.stopped else int(self.failed > 0)

    def write(self, sink: Sink) -> None:
        """Follow the films and write what was seen: events as they happen as lines, else one record per film."""
        from facecli.output import records, tracks

        tools, chosen = self._tools, self._tools.engine.selection
        header = {
            "detector": records.described(tools.tracking, tools.tracking.detector_plugin),
            "tracker": records.described(tools.tracking, tools.tracking.tracker_plugin),
            "recognizer": None if tools.recognizing is None else records.embedder(tools.recognizing),
            "choice": tracks.choice(tools.wish.face, chosen.min_score, chosen.min_face_size),
        }
        if sink.format == "jsonl":
            described = ({**one, **header} if one["event"] == "stream.started" else one for one in self.events())
            sink.stream(records.header("track.event"), "events", described, (), tracks.rows, tracks.rows)
        else:
            head = records.header("track", **header)
            asked = () if tools.attributes is None else (one.attribute for one in tools.attributes.attribute_plugins)
            sink.stream(head, "films", self.films(), tracks.csv_columns(asked), tracks.rows, tracks.table_rows)

    def events(self) -> Iterator[Record]:
        """Yield the records of all events, film after film, those of several streams as they come.

        Those of frames only if they were asked for.
        """
        return self._each(self._film)

    def films(self) -> Iterator[Record]:
        """Yield one record per film."""

        def whole(name: str) -> Generator[Record, None, None]:
            yield self._films.film(self._film(name), frames=self._settings.frames)

        return self._each(whole)

    def _each(self, follow: Callable[[str], Generator[Record, None, None]]) -> Iterator[Record]:
        """Yield what comes of each film; several streams are followed at once."""
        from facecli.system.merging import merged

        if self._at_once:
            with heeded(self._stop):
                yield from merged([follow(name) for name in self._names])
            return
        for name in self._names:
            yield from follow(name)

    def _film(self, name: str) -> Generator[Record, None, None]:
        from facecli.film.address import address_of
        from facecli.film.live import open_film

        address = address_of(name)
        try:
            film = open_film(address, max_pixels=self._max_pixels, retries=self._settings.retry)
        except FacecliError as error:
            if error.exit_code != 1:
                raise
            yield self._told(address.source, error)
            return
        try:
            with self._stoppable(film):
                yield from self._opened(film, address)
        finally:
            film.close()

    @contextmanager
    def _stoppable(self, film: Film | Live) -> Iterator[None]:
        """Let a signal end a live source in order: its tracks are told, and its annotated copy is kept."""
        from facecli.film.live import Live

        if not isinstance(film, Live):
            yield
            return

        self._lives.append(film)
        if self.stopped:
            film.stop()
        with heeded(self._stop):
            yield

    def _stop(self) -> None:
        self.stopped = True
        for film in [*self._lives]:
            film.stop()

    def _opened(self, film: Film | Live, address: Address) -> Iterator[Record]:
        from facecli.film.frame import Excerpt
        from facecli.output.mot_file import Mot
        from facecli.tracking.events import FrameSeen, StreamEnded, TrackEnded

        settings = self._settings
        excerpt = Excerpt(settings.start, settings.duration, settings.max_fps, settings.max_frames)
        mot = None if settings.mot is None else Mot()
        with ExitStack() as stack:
            drawing = self._copies.begun(stack, film, address)
            takers = [taker for taker in (drawing, mot) if taker is not None]
            for event in self._tools.follow(film, excerpt):
                for taker in takers:
                    taker.take(event)
                if isinstance(event, FrameSeen) and not settings.frames:
                    continue
                written = [] if self._crops is None else self._crops.take(event)
                moved: dict[str, str] = {}
                if isinstance(event, TrackEnded):
                    self.known |= event.answer is not None and event.answer.person is not None
                if isinstance(event, StreamEnded):
                    self._count(event)
                    self._copies.drawn(drawing, address, excerpt)
                    moved = {} if self._crops is None else self._crops.settle(event.source)
                yield self._films.event(event, written, moved)
        if mot is not None and settings.mot is not None:
            mot.write(settings.mot)

    def _told(self, source: str, error: FacecliError) -> Record:
        """Return the event of a film that could not be opened, and print its error."""
        from facecli.tracking.events import StreamEnded

        event = StreamEnded(source, 0, 0, 0, 0, 0, 0, 0, None, error, {})
        self._count(event)
        return self._films.event(event)

    def _count(self, event: Any) -> None:
        self.failed += event.error is not None or event.warning is not None
        if event.error is not None:
            progress.report_error(event.source, event.error)
        elif event.warning is not None:
            from facecli.system.streams import print_error

            print_error(f"{event.source} ended earlier than it says: was the recording cut off?")
