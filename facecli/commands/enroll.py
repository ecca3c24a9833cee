"""`facecli enroll`: people into the gallery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import manual, options, values
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facecli.gallery.labelling import Labelled


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
    """
    from facecli.cli import context, galleries, inputs, progress
    from facecli.cli.wording import option

    sink = context.open_sink(output)
    total = inputs.count_inputs(reading)
    with sink.opened(), galleries.rehearsed(gallery, dry_run=dry_run, create=True) as path:
        opened = galleries.open_gallery(path, plugins, running, reading, inputs=total, create=True)
        tools = opened.tools()

        # Imported while the models load in their threads.
        from facecli.gallery import names
        from facecli.gallery.review import Review
        from facecli.output import enrolments, records
        from facecli.output import galleries as shown

        review = Review(strict, min_quality, max_templates)
        outcomes = opened.enrolled(_labelled(reading, name), opened.flow(plugins.face), review=review, crops=crops)
        summary = enrolments.Summary()
        own = str(galleries.gallery_path(gallery))  # in a rehearsal it is a copy that is changed
        header = records.header("enroll", gallery=shown.gallery(opened.store()) | {"path": own}, dry_run=dry_run)
        header |= {"detector": records.described(tools, tools.detector_plugin), "recognizer": records.embedder(tools)}
        header |= plugins.named_preset

        def recorded() -> Iterator[dict[str, Any]]:
            for outcome in progress.reporting_errors(outcomes, output, inputs.total(reading)):
                record = enrolments.picture(outcome, option)
                summary.add(record)
                yield record

        if sink.format in ("jsonl", "csv"):
            line = records.header("enroll", dry_run=dry_run)  # the rest is the same for all
            sink.stream(line, "images", recorded(), enrolments.COLUMNS, enrolments.csv_rows, enrolments.csv_rows)
        else:
            for _ in recorded():
                pass
            header["gallery"] = shown.gallery(opened.store()) | {"path": own}
            document = header | summary.parts(opened.people(), names.key)
            sink.document(document, enrolments.table_rows(document))
        opened.close()
    return 1 if summary.rejected else 0


def _labelled(reading: InputSettings, name: str | None) -> Iterator[Labelled]:
    """Return the pictures of the inputs with their people."""
    from facecli.gallery import labelling
    from facecli.pictures.listing import expand

    lists = {"files_from": reading.files_from, "files_from0": reading.files_from0}
    if name is None:
        return labelling.by_folder(reading.inputs, **lists)
    return labelling.named(expand(reading.inputs, **lists), name)
