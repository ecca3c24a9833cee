"""`facecli analyze`: several attributes of each face at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from facecli.cli import options, settings, values
from facecli.cli.attributes import run


@click.command()
@options.input_options
@click.option(
    "--attributes",
    "-a",
    callback=values.split_commas,
    default="emotion",
    metavar="NAME,...",
    help="Attributes (emotion, age, gender, race, spoof), models of them (emotion/mini-xception), or what is measured "
    "without a model (pose, quality).",
)
@options.labels_option
@options.detector_options
@options.preset_option
@options.no_detect_option
@options.face_option("all")
@options.annotate_option
@options.limit_options
@options.run_options
@options.output_options
def command(
    inputs: tuple[str, ...], attributes: tuple[str, ...], labels: tuple[str, ...], annotate: Path | None, **kwargs: Any
) -> int:
    """Tell several attributes of each face.

    Every probability and the likeliest label of each; numbers of what is measured.
    """
    return run("analyze", inputs, attributes, labels, annotate, settings.Settings(**kwargs))
