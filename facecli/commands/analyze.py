"""`facecli analyze`: several attributes of each face at once."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import completing, manual, options, values
from facecli.cli.settings import InputSettings, JobSettings, OutputSettings, PluginSettings, RunSettings, gathered


@manual.command(
    examples=("analyze portrait.jpg --attributes emotion,pose,quality", "analyze portraits/ --embed --format jsonl")
)
@options.input_options
@click.option(
    "--attributes",
    "-a",
    callback=values.split_commas,
    default="age,gender,emotion",
    metavar="NAME,...",
    shell_complete=completing.attributes,
    help="Attributes (emotion, age, gender, race, spoof), models of them (emotion/mini-xception), or what is measured "
    "without a model (pose, quality).",
)
@options.labels_option
@click.option("--embed", is_flag=True, help="Add each face's embedding.")
@options.recognizer_options
@options.detector_options
@options.preset_option
@options.no_detect_option
@options.face_option("all")
@options.require_face_option
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
    attributes: tuple[str, ...],
    labels: tuple[str, ...],
    embed: bool,
    annotate: Path | None,
) -> int:
    """Tell several attributes of each face.

    Every probability and the likeliest label of each; numbers of what is measured.
    """
    from facecli.cli import context, scaling
    from facecli.cli.attributes import Question, answer

    names = None if context.defaulted("attributes") else attributes
    if output.folder is not None:
        refused = ("labels", "annotate")
        question = scaling.Question("analyze", names, embed=embed, refused=refused)
        return scaling.answer(question, reading, plugins, running, output, job)
    scaling.refuse_without_folder(job)
    return answer(Question("analyze", names, labels, annotate, embed), reading, plugins, running, output)
