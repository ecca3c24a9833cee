"""`facecli identify`: who the faces are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import manual, options, values
from facecli.cli.settings import FilmSettings, InputSettings, OutputSettings, PluginSettings, RunSettings, gathering

if TYPE_CHECKING:
    from facecli.api.films import FilmTools
    from facecli.api.gallery import Gallery, Search
    from facecli.gallery.decision import Identification
    from facecli.output.pictures import Writer
    from facecli.pipeline.results import ImageResult

NOBODY_KNOWN = 3
SCORES = ("blend", "best", "centroid")


@dataclass(frozen=True, slots=True)
class DecidingSettings:
    """The way to decide. people: texts that list the only ones to search among. See facecli.gallery.rule.Wish."""

    top: int = 1
    fpir: float | None = None
    threshold: float | None = None
    margin: float | None = None
    score: str = "blend"
    search: str = "exact"
    people: tuple[str, ...] = ()


@manual.command(examples=("identify party.jpg --top 3", "identify photos/ --fpir 0.001 --format csv"))
@options.input_options
@options.gallery_option
@click.option("--top", type=click.IntRange(1, 1000), metavar="N", default=1, help="Candidates to list for each face.")
@click.option(
    "--fpir",
    type=values.Finite(0, 0.5, min_open=True),
    metavar="RATE",
    help="Let so many of the searches for strangers name somebody.  [default: 0.01]",
)
@click.option("--threshold", type=values.Finite(0), metavar="DISTANCE", help="Or take this largest distance.")
@click.option(
    "--margin",
    type=values.Finite(0),
    metavar="DISTANCE",
    help="Name nobody if two people are within the threshold and nearer to each other.  [default: 5 % of it]",
)
@click.option("--score", type=click.Choice(SCORES), default="blend", help="Distance to a person of several templates.")
@click.option(
    "--search",
    metavar="exact|faiss|URL",
    default="exact",
    help="Or the faster one of faiss, which misses a few, among 20000 templates and more, or by a copy in a database,"
    " postgresql://USER@HOST/NAME.",
)
@click.option(
    "--people", multiple=True, metavar="NAME,...", help="Search among these alone. May be given several times."
)
@options.recognizer_options
@options.detector_options
@options.preset_option
@options.no_detect_option
@options.face_option("all")
@options.require_face_option
@options.annotate_option
@click.option("--exit-code", is_flag=True, help="Exit with 3 if nobody is known.")
@options.limit_options
@options.run_options
@options.output_options
@gathering(deciding=DecidingSettings)
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    deciding: DecidingSettings,
    gallery: Path | None,
    annotate: Path | None,
    exit_code: bool,
) -> int:
    """Tell who each face is, among the people of a gallery (1:N).

    A face that nobody is near enough to is nobody's. The threshold keeps the rate of strangers who are named: the
    gallery measures it on its own people, and a small one takes the recognizer's measured rates. Films, cameras and
    streams are followed as `facecli track --gallery` does.
    """
    from facecli.cli import context, films, galleries, inputs, streaming
    from facecli.cli.wording import option
    from facecli.errors import UsageError

    sink = context.open_sink(output)
    if names := films.films_of(reading):
        if plugins.require_face:
            raise UsageError("{require_face} is of pictures", hint="leave it out of films", about="require_face")
        with sink.opened():
            people = galleries.open_gallery(gallery, plugins, running, reading, inputs=films.inputs_of(names))
            following = _film_tools(people, plugins, deciding)
            run = films.Run(following, FilmSettings(annotate=annotate), names, reading.max_pixels, output.path)
            run.write(sink)
            people.close()
        return NOBODY_KNOWN if exit_code and not run.status and not run.known else run.status
    total = inputs.count_inputs(reading)
    with sink.opened():
        opened = galleries.open_gallery(gallery, plugins, running, reading, inputs=total)
        tools = opened.tools()

        # Imported while the models load in their threads.
        from facecli.gallery.rule import Wish
        from facecli.output import galleries as shown
        from facecli.output import identifications, records
        from facecli.output.overwriting import OutputPaths

        wish = Wish(deciding.threshold, deciding.fpir, deciding.margin)
        search = opened.search(wish, deciding.score, _wanted(opened, deciding), deciding.search)  # type: ignore[arg-type] # score
        answers = _Answers(search, deciding.top)
        writers = _writers(annotate, answers, many=total != 1)
        sources = films.refusing(inputs.open_sources(reading, OutputPaths(annotate=annotate)))
        header = records.header("identify", gallery=shown.gallery(opened.store()))
        header |= {"detector": records.described(tools, tools.detector_plugin), "recognizer": records.embedder(tools)}
        header |= identifications.rule(search.rule) | plugins.named_preset
        presentation = streaming.Presentation(
            header=header,
            record=lambda result: identifications.image(result, answers.of(result), search.rule, option),
            columns=identifications.csv_columns(rotated=plugins.looks_around),
            csv_rows=identifications.csv_rows,
            table_rows=identifications.table_rows,
            writers=writers,
            remarks=True,
        )
        flow = opened.flow(plugins.face, need_face=plugins.require_face, keep_image=bool(writers))
        pictures = opened.engine.stream(opened.engine.request((), embed=True), sources, flow)
        status = streaming.stream(sink, pictures, presentation, output, total=inputs.total(reading))
        opened.close()
    return NOBODY_KNOWN if exit_code and not status and not answers.known else status


def _film_tools(people: Gallery, plugins: PluginSettings, deciding: DecidingSettings) -> FilmTools:
    """Return what follows films and names who is seen."""
    from facecli.api.films import FilmTools, FilmWish
    from facecli.film import library
    from facecli.gallery.rule import Wish

    library.require()
    wish = Wish(deciding.threshold, deciding.fpir, deciding.margin)
    search = people.search(wish, deciding.score, _wanted(people, deciding), deciding.search)  # type: ignore[arg-type] # score
    return FilmTools(people.engine, FilmWish(face=plugins.face), people, search, deciding.top)


def _wanted(opened: Gallery, deciding: DecidingSettings) -> list[str]:
    """Return the names of the only people to search among; none for all."""
    from facecli.gallery import names

    texts = deciding.people
    return names.listed(texts, (person.name for person in opened.people())) if texts else []


class _Answers:
    """Who the faces of each picture are, asked for once though a record and a drawing want it."""

    def __init__(self, search: Search, top: int) -> None:
        self.known = False
        self._search, self._top = search, top
        self._latest: tuple[Any, tuple[Identification, ...]] = (None, ())

    def of(self, result: ImageResult) -> tuple[Identification, ...]:
        """Return one answer for each face of a result, in the order of its rows."""
        if self._latest[0] is not result.embeddings or result.embeddings is None:
            self._latest = result.embeddings, self._search.answers(result, self._top)
            self.known |= any(answer.person is not None for answer in self._latest[1])
        return self._latest[1]


def _writers(annotate: Path | None, answers: _Answers, *, many: bool) -> list[Writer]:
    """Return what writes annotated copies; refuse a place that can not be before any work."""
    if annotate is None:
        return []
    from facecli.output import identifications, pictures

    return [pictures.annotation_writer(annotate, lambda one: identifications.draw(one, answers.of(one)), many=many)]
