"""`facecli emotion`: which expression a face shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from facecli.cli import attributes, options, settings


@click.command()
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
@options.annotate_option
@options.limit_options
@options.run_options
@options.output_options
def command(inputs: tuple[str, ...], model: str, labels: tuple[str, ...], annotate: Path | None, **kwargs: Any) -> int:
    """Tell the expression of each face.

    Every probability and the likeliest label. An expression is not a feeling.
    """
    name = model if model == "emotion" or "/" in model else f"emotion/{model}"
    return attributes.run("emotion", inputs, [name], labels, annotate, settings.Settings(**kwargs))
