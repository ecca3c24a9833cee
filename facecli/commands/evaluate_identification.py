"""`facecli evaluate-identification`: measures how often people are found, and strangers taken for somebody (1:N)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import manual, options
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathering

if TYPE_CHECKING:
    from facecli.evaluation.identification import Person
    from facecli.gallery.index import Score
    from facecli.pipeline.results import ImageResult

SCORES = ("blend", "best", "centroid")
PLACE = click.Path(path_type=Path, exists=True, readable=True)


@dataclass(frozen=True, slots=True)
class MeasuringSettings:
    """The pictures, and the way to measure. See facecli.evaluation.identification.Plan."""

    people: Path
    strangers: Path | None = None
    templates: int = 3
    splits: int = 20
    score: Score = "blend"


@manual.command(
    examples=(
        "evaluate-identification people/ --strangers others/",
        "evaluate-identification people.npz --plot det.png",
    )
)
@click.argument("people", type=PLACE, metavar="PEOPLE")
@click.option("--strangers", type=PLACE, metavar="OTHERS", help="Pictures of people who are never enrolled.")
@click.option(
    "--templates", type=click.IntRange(1), metavar="N", default=3, help="Pictures that each person is enrolled with."
)
@click.option(
    "--splits", type=click.IntRange(1, 1000), metavar="N", default=20, help="How often, each time with other pictures."
)
@click.option("--score", type=click.Choice(SCORES), default="blend", help="Distance to a person of several templates.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT",
    help="Draw FNIR against FPIR (.png, .svg, .pdf), or write the points (.csv).",
)
@options.recognizer_options
@options.measuring_options
@gathering(measuring=MeasuringSettings)
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    measuring: MeasuringSettings,
    plot: Path | None,
) -> int:
    """Measure open-set identification.

    PEOPLE is a folder people/NAME/picture.jpg, OTHERS one of the same form or of pictures of one person each; or both
    are files of `facecli embed people/ -o PEOPLE.npz`. Of each person some pictures are enrolled and the others are
    searched for. Who has too few pictures is a stranger; without any, a fifth of the people is left out in turn.
    """
    start = time.perf_counter()

    from facecli.cli import context
    from facecli.cli.wording import option
    from facecli.errors import UsageError
    from facecli.system import files

    sink = context.open_sink(output)
    with sink.opened():
        places = [place for place in (measuring.people, measuring.strangers) if place is not None]
        stored = {place.suffix.lower() == ".npz" for place in places}
        if len(stored) > 1:
            raise UsageError("pictures and stored embeddings are not measured together", hint="embed the pictures, too")
        if plot is not None:
            from facecli.evaluation import figures

            figures.check(plot)
            files.check_writable(plot)
        read = _stored if stored == {True} else _folders
        groups, failed, parts = read(places, reading, plugins, running, output)

        from facecli.evaluation import det, identification
        from facecli.output import identification_evaluations as shown

        plan = identification.Plan(measuring.templates, measuring.splits, measuring.score)
        result = identification.evaluate(groups[0], groups[1] if len(groups) > 1 else {}, plan)
        document = shown.document(result, failed, parts, option)
        if plot is not None:
            det.write(plot, result, f"{parts['recognizer']['plugin']}, {result.enrolled} people")
        document["seconds"] = round(time.perf_counter() - start, 4)
    sink.document(document, shown.rows(document))
    return 1 if failed else 0


Groups = list[dict[str, "Person"]]
Read = tuple[Groups, "Sequence[ImageResult]", dict[str, Any]]


def _stored(
    places: Sequence[Path],
    reading: InputSettings,
    plugins: PluginSettings,  # noqa: ARG001 # no model runs
    running: RunSettings,  # noqa: ARG001
    output: OutputSettings,  # noqa: ARG001
) -> Read:
    """Return the people of files of embeddings, in their order."""
    from facecli.evaluation import enrolled
    from facecli.matching import stored

    files = [stored.read(place, reading.max_bytes) for place in places]
    for other in files[1:]:
        stored.check_comparable(files[0], other)
    groups = [
        enrolled.people_in_rows(enrolled.in_file(file, strangers=number > 0), file) for number, file in enumerate(files)
    ]
    header = files[0].header
    preset = {key: header[key] for key in ("preset",) if key in header}
    return groups, (), preset | {"detector": header["detector"], "recognizer": header["recognizer"], "face": None}


def _folders(
    places: Sequence[Path],
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
) -> Read:
    """Return the people of folders, in their order, and the pictures that gave no face."""
    from facecli.api.selection import Request
    from facecli.cli import progress, wiring
    from facecli.evaluation import enrolled
    from facecli.output import records

    listed = [enrolled.in_folder(place, strangers=number > 0) for number, place in enumerate(places)]
    names = [one.picture for shown in listed for one in shown]
    faces = wiring.open_faces(plugins, running, reading, inputs=len(names))
    request = Request(embed=True)
    tools = faces.engine.tools(request)
    flow = faces.engine.flow(request, plugins.face, need_face=True)
    pictures = progress.reporting_errors(faces.engine.stream(request, names, flow), output, len(names))
    results = [picture.result for picture in pictures]
    ends = [len(listed[0]), len(names)]
    groups = [
        enrolled.people_in_results(shown, results[end - len(shown) : end])
        for shown, end in zip(listed, ends, strict=False)
    ]
    failed = [result for result in results if result.error is not None]
    parts = {"detector": records.described(tools, tools.detector_plugin), "recognizer": records.embedder(tools)}
    return groups, failed, plugins.named_preset | parts | {"face": plugins.face}
