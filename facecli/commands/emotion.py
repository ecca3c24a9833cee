"""`facecli emotion`: which expression a face shows."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import manual, options
from facecli.cli.settings import InputSettings, JobSettings, OutputSettings, PluginSettings, RunSettings, gathered


@manual.command(examples=("emotion portrait.jpg", "emotion party.jpg --labels happy,sad --annotate seen.png"))
@options.input_options
@click.option(
    "--model",
    default="emotion",
    metavar="emotion/NAME",
    help="The model.  [default: the first installed]",
    show_default=False,
)
@options.labels_option
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
    model: str,
    labels: tuple[str, ...],
    annotate: Path | None,
) -> int:
    """Tell the expression of each face.

    Every probability and the likeliest label. An expression is not a feeling.
    """
    from facecli.cli import scaling
    from facecli.cli.attributes import Question, answer

    name = model if model == "emotion" or "/" in model else f"emotion/{model}"
    if output.folder is not None:
        refused = ("labels", "annotate")
        question = scaling.Question("emotion", (name,), refused=refused)
        return scaling.answer(question, reading, plugins, running, output, job)
    scaling.refuse_without_folder(job)
    return answer(Question("emotion", (name,), labels, annotate), reading, plugins, running, output)
