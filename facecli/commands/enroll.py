"""`facecli enroll`: people into the gallery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import manual, options
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facecli.gallery.labelling import Labelled


@manual.command(examples=("enroll people/", 'enroll ada1.jpg ada2.jpg --name "Ada Lovelace"'))
@options.input_options
@options.gallery_option
@click.option("--name", metavar="NAME", help="Whom all pictures show.  [default: the name of each picture's folder]")
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
) -> int:
    """Add people to a gallery.

    Of people/NAME/picture.jpg each picture shows NAME. A picture that is enrolled already costs nothing, so the command
    can be repeated, also after it was interrupted. A picture that can not be used is told with the reason; the others
    are stored.
    """
    from facecli.cli import context, galleries, inputs, progress
    from facecli.cli.wording import option

    sink = context.open_sink(output)
    total = inputs.count_inputs(reading)
    with sink.opened():
        opened = galleries.open_gallery(gallery, plugins, running, reading, inputs=total, create=True)
        tools = opened.tools()

        # Imported while the models load in their threads.
        from facecli.gallery import names
        from facecli.output import enrolments, records
        from facecli.output import galleries as shown

        outcomes = opened.enrolled(_labelled(reading, name), opened.flow(plugins.face))
        summary = enrolments.Summary()
        header = records.header("enroll", gallery=shown.gallery(opened.store()))
        header |= {"detector": records.described(tools, tools.detector_plugin), "recognizer": records.embedder(tools)}
        header |= plugins.named_preset

        def recorded() -> Iterator[dict[str, Any]]:
            for outcome in progress.reporting_errors(outcomes, output, inputs.total(reading)):
                record = enrolments.picture(outcome, option)
                summary.add(record)
                yield record

        if sink.format in ("jsonl", "csv"):
            sink.stream(header, "images", recorded(), enrolments.COLUMNS, enrolments.csv_rows, enrolments.csv_rows)
        else:
            for _ in recorded():
                pass
            header["gallery"] = shown.gallery(opened.store())
            document = header | summary.parts(opened.people(), names.key)
            sink.document(document, document["people"])
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
