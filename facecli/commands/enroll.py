"""`facecli enroll`: people into the gallery."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import manual, options, values
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from facecli.cli import progress
    from facecli.gallery.admission import Enrolled
    from facecli.gallery.review import Review
    from facecli.gallery.store.store import GalleryStore

# What an enrolment from jobs can not heed.
OF_PICTURES = ("min_quality", "crops", "face", "recognizer", "detector", "parameter", "preset", "no_detect", "flip")


@manual.command(examples=("enroll people/", 'enroll ada1.jpg ada2.jpg --name "Ada Lovelace"'))
@options.input_options
@options.gallery_option
@click.option("--name", metavar="NAME", help="Whom all pictures show.  [default: the name of each picture's folder]")
@click.option("--strict", is_flag=True, help="Reject a face that is nearer to somebody else than to its person.")
@click.option(
    "--min-quality",
    type=values.Finite(0, 1),
    metavar="SCORE",
    help="Reject faces of less quality, 0 to 1: size, sharpness, light, contrast and pose.",
)
@click.option("--max-templates", type=click.IntRange(1), metavar="N", help="Reject more than N faces of a person.")
@click.option("--crops", is_flag=True, help="Keep a crop of each face, from which `gallery migrate` embeds it anew.")
@options.dry_run_option
@options.recognizer_options
@options.detector_options
@options.preset_option
@options.no_detect_option
@options.face_option("only")
@options.limit_options
@options.run_options
@options.output_options
@gathered
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    gallery: Path | None,
    name: str | None,
    strict: bool,
    min_quality: float | None,
    max_templates: int | None,
    crops: bool,
    dry_run: bool,
) -> int:
    """Add people to a gallery.

    Of people/NAME/picture.jpg each picture shows NAME. A picture that is enrolled already costs nothing, so the command
    can be repeated, also after it was interrupted. A picture that can not be used is told with the reason; the others
    are stored. A face that `facecli gallery reject` said is not of its person is left out.

    INPUTS may be folders, or URLs, that `facecli embed people/ -o FOLDER/` has filled: then no model runs.
    """
    from facecli.cli import context, galleries, progress
    from facecli.cli.wording import option
    from facecli.gallery import names
    from facecli.gallery.review import Review
    from facecli.matching import stored_job

    sink = context.open_sink(output)
    review = Review(strict, min_quality, max_templates)
    jobs = [one for one in reading.inputs if stored_job.is_job(one)]
    if jobs:
        _check_jobs(reading, jobs)
    with sink.opened(), galleries.rehearsed(gallery, dry_run=dry_run, create=True) as path:
        if jobs:
            way = _of_jobs(jobs, name, path, review)
        else:
            way = _of_pictures(reading, plugins, running, path, name, review, crops=crops)

        # Imported while the models load in their threads.
        from facecli.output import enrolments, records
        from facecli.output import galleries as shown

        summary = enrolments.Summary()
        own = str(galleries.gallery_path(gallery))  # in a rehearsal it is a copy that is changed
        header = records.header(
            "enroll", gallery=shown.gallery(way.store) | {"path": own}, dry_run=dry_run, **way.parts
        )

        def recorded() -> Iterator[dict[str, Any]]:
            for outcome in progress.reporting_errors(way.outcomes, output, way.total):
                record = enrolments.picture(outcome, option)
                summary.add(record)
                yield record

        if sink.format in ("jsonl", "csv"):
            line = records.header("enroll", dry_run=dry_run)  # the rest is the same for all
            sink.stream(line, "images", recorded(), enrolments.COLUMNS, enrolments.csv_rows, enrolments.csv_rows)
        else:
            for _ in recorded():
                pass
            header["gallery"] = shown.gallery(way.store) | {"path": own}
            document = header | summary.parts(way.store.people(), names.key)
            sink.document(document, enrolments.table_rows(document))
        way.store.close()
    return 1 if summary.rejected else 0


@dataclass(frozen=True, slots=True)
class _Way:
    """An enrolment that is begun. parts: of the document, which say where the embeddings come from."""

    store: GalleryStore
    outcomes: Iterable[Enrolled]
    parts: Mapping[str, Any]
    total: progress.Total


def _of_pictures(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    path: Path,
    name: str | None,
    review: Review,
    *,
    crops: bool,
) -> _Way:
    from facecli.cli import galleries, inputs

    opened = galleries.open_gallery(path, plugins, running, reading, inputs=inputs.count_inputs(reading), create=True)
    tools = opened.tools()

    from facecli.gallery import labelling
    from facecli.output import records
    from facecli.pictures.listing import expand

    if name is None:
        labelled = labelling.by_folder(reading.inputs, files_from=reading.files_from, files_from0=reading.files_from0)
    else:
        expanded = expand(reading.inputs, files_from=reading.files_from, files_from0=reading.files_from0)
        labelled = labelling.named(expanded, name)
    outcomes = opened.enrolled(labelled, opened.flow(plugins.face), review=review, crops=crops)
    detector, recognizer = records.described(tools, tools.detector_plugin), records.embedder(tools)
    parts = {"detector": detector, "recognizer": recognizer} | plugins.named_preset
    return _Way(opened.store(), outcomes, parts, inputs.total(reading))


def _of_jobs(jobs: Sequence[str], name: str | None, path: Path, review: Review) -> _Way:
    from facecli.gallery import labelling, names
    from facecli.gallery.jobs import enroll
    from facecli.gallery.store.store import GalleryStore
    from facecli.matching import stored_job

    opened = [stored_job.opened(one) for one in jobs]
    of_all = None if name is None else names.clean(name)
    store = GalleryStore(path, create=True)

    def outcomes() -> Iterator[Enrolled]:
        for job in opened:
            label = labelling.of_job(job.inputs) if of_all is None else partial(_same, of_all)
            yield from enroll(job.read(), store, label, review)

    header = opened[0].header
    parts = {name: header[name] for name in ("detector", "recognizer", "preset") if name in header}
    return _Way(store, outcomes(), parts, None)


def _same(name: str, _source: str) -> str:
    return name


def _check_jobs(reading: InputSettings, jobs: Sequence[str]) -> None:
    """Raise UsageError for what an enrolment from jobs, which have no pictures, can not do."""
    from facecli.cli import context
    from facecli.errors import UsageError

    if len(jobs) < len(reading.inputs) or reading.files_from or reading.files_from0:
        raise UsageError("jobs and pictures are not enrolled together", hint="enroll them one after the other")
    for name in OF_PICTURES:
        if context.typed(name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} is of pictures, and {jobs[0]} has embeddings alone", hint=f"leave {option} out")
