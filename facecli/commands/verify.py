"""`facecli verify`: decides whether two pictures show the same person."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import options
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathered

if TYPE_CHECKING:
    from facecli.contract import Metric

NO_MATCH = 3


@click.command()
@click.argument("a")
@click.argument("b")
@options.recognizer_options
@options.decision_options
@options.detector_options
@options.preset_option
@options.no_detect_option
@options.face_option("largest")
@options.anti_spoof_option
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT", help="Draw both pictures and the answer."
)
@click.option("--exit-code", is_flag=True, help="Exit with 3 if it is not the same person, or a face is a fake.")
@options.limit_options
@options.run_options
@options.output_options
@gathered
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    a: str,
    b: str,
    metric: Metric | None,
    threshold: float | None,
    fmr: float | None,
    operating_point: str | None,
    anti_spoof: bool,
    plot: Path | None,
    exit_code: bool,
) -> int:
    """Decide whether two pictures show the same person (1:1).

    A and B are files, URLs, or - for a picture on stdin. With --face all, the closest pair of faces decides. With
    --recognizer a,b,c each decides for itself, and together they say yes where the mean of distance / threshold is at
    most 1.
    """
    start = time.perf_counter()
    if a == b == "-":
        raise click.UsageError("stdin can be read only once")

    from facecli.cli import context, wiring

    sink = context.open_sink(output)
    with sink.opened():
        faces = wiring.open_faces(plugins, running, reading, inputs=2, ensemble=True)
        tools = faces.engine.tools(faces.engine.pair_request(anti_spoof=anti_spoof))

        # Imported while the models load in their threads.
        from facecli.output import verifications

        if plot is not None:
            _check_plot(plot, (a, b))
        face = plugins.face if plugins.preset is None or context.typed("face") else None  # the preset's
        decide = partial(
            faces.verify, face=face, metric=metric, threshold=threshold, fmr=fmr, operating_point=operating_point
        )
        with _reporting_further_failures():
            verification = decide(a, b, anti_spoof=anti_spoof, keep_image=plot is not None)
        document = verifications.document(verification, tools, plugins.named_preset)
        if plot is not None:
            verifications.draw(plot, verification)
        seconds = {**verification.seconds, "total": time.perf_counter() - start}
        document["seconds"] = {stage: round(spent, 4) for stage, spent in seconds.items()}
    sink.document(document, verifications.rows(verification))
    return NO_MATCH if exit_code and not verification.verified else 0


def _check_plot(plot: Path, inputs: tuple[str, str]) -> None:
    """Refuse, before any work, a place where the drawn answer can not be written."""
    from facecli.output import overwriting
    from facecli.pictures import codec
    from facecli.system.files import check_writable

    codec.check_suffix(plot.suffix)
    overwriting.refuse_inputs(plot, inputs, "plot")
    check_writable(plot)


@contextmanager
def _reporting_further_failures() -> Iterator[None]:
    """Report all failures but the first, which ends the command, so that both pictures can be replaced at once."""
    from facecli.errors import FacecliError

    try:
        yield
    except FacecliError as error:
        from facecli.cli import progress

        for source, other in error.further:
            progress.report_error(source, other)
        raise
