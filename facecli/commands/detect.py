"""`facecli detect`: where the faces are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import manual, options
from facecli.cli.settings import InputSettings, JobSettings, OutputSettings, PluginSettings, RunSettings, gathered
from facecli.hosting.choice import RECOGNIZER

if TYPE_CHECKING:
    from facecli.output.pictures import Writer


@manual.command(examples=("detect group.jpg", "detect holidays/ --annotate seen/ --format csv"))
@options.input_options
@options.detector_options
@options.preset_option
@options.face_option("all")
@options.require_face_option
@click.option(
    "--crops", type=click.Path(path_type=Path, file_okay=False), help="Write each face's crop into this folder."
)
@click.option(
    "--crops-for", default=RECOGNIZER, metavar="RECOGNIZER", help="Cut the crops as this recognizer wants them."
)
@options.annotate_option
@options.limit_options
@options.run_options
@options.job_output_option("Write the results to FILE (.json, .jsonl or .csv), and nothing to stdout.")
@options.job_options
@options.format_options
@gathered
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    job: JobSettings,
    crops: Path | None,
    crops_for: str,
    annotate: Path | None,
) -> int:
    """Find faces: bbox, score and landmarks of each."""
    from facecli.cli import context, scaling
    from facecli.errors import UsageError

    if output.folder is not None:
        refused = ("crops", "crops_for", "annotate")
        question = scaling.Question("detect", refused=refused)
        return scaling.answer(question, reading, plugins, running, output, job)
    scaling.refuse_without_folder(job)
    if crops is None and context.typed("crops_for"):
        raise UsageError("--crops-for says how crops are cut, and none are", hint="add --crops DIR")

    from facecli.api.selection import Request
    from facecli.cli import inputs, streaming, wiring
    from facecli.cli.wording import option

    sink = context.open_sink(output)
    total = inputs.count_inputs(reading)
    with sink.opened():
        writers = _writers(crops, crops_for, annotate, plugins, many=total != 1)
        faces = wiring.open_faces(plugins, running, reading, inputs=total)
        request = Request()
        tools = faces.engine.tools(request)

        # Imported while the models load in their threads.
        from facecli.output import records, rows
        from facecli.output.overwriting import OutputPaths

        sources = inputs.open_sources(reading, OutputPaths(crops=crops, annotate=annotate))
        detector = records.described(tools, tools.detector_plugin)
        shown = streaming.Presentation(
            header=records.header("detect", detector=detector) | plugins.named_preset,
            record=lambda result: records.image(result, wording=option),
            columns=rows.csv_columns(rotated=plugins.looks_around),
            writers=writers,
        )
        flow = faces.engine.flow(request, plugins.face, need_face=plugins.require_face, keep_image=bool(writers))
        pictures = faces.engine.stream(request, sources, flow)
        return streaming.stream(sink, pictures, shown, output, total=inputs.total(reading))


def _writers(
    crops: Path | None, crops_for: str, annotate: Path | None, plugins: PluginSettings, *, many: bool
) -> list[Writer]:
    """Return what writes crops and annotated copies; refuse places that can not be before any work."""
    if crops is None and annotate is None:
        return []
    from facecli.cli import context
    from facecli.hosting.choice import load_recognizer
    from facecli.hosting.presets import PRESETS
    from facecli.output import drawing, pictures

    writers: list[Writer] = []
    if crops is not None:
        changed = {} if plugins.preset is None else PRESETS[plugins.preset].crops
        spec = load_recognizer(context.registry(), crops_for, changed).crop
        writers.append(pictures.crop_writer(crops, spec))
    if annotate is not None:
        writers.append(pictures.annotation_writer(annotate, drawing.faces_of, many=many))
    return writers
