"""`facecli verify`: decides whether two pictures show the same person, or which of many show one person."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import manual, options
from facecli.cli.comparing import NO_MATCH
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathered

if TYPE_CHECKING:
    from facecli.api.judge import Judge
    from facecli.contract import Metric
    from facecli.output.sink import Sink


@manual.command(examples=("verify a.jpg b.jpg", "verify me.jpg holidays/ --exit-code"))
@click.argument("a")
@click.argument("b", nargs=-1, required=True, metavar="B...")
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
    b: tuple[str, ...],
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

    With several B, or a folder or glob of them, A is compared with each: one record per comparison.
    """
    start = time.perf_counter()
    if [a, *b].count("-") > 1:
        raise click.UsageError("stdin can be read only once")

    from facecli.cli import context, inputs, wiring
    from facecli.matching.rules import DecisionRequest

    sink = context.open_sink(output)
    others = InputSettings(b)
    total = inputs.count_inputs(others)
    if total != 1 and plot is not None:
        raise click.UsageError("--plot draws two pictures, and there are more")
    with sink.opened():
        faces = wiring.open_faces(plugins, running, reading, inputs=None if total is None else total + 1, ensemble=True)
        face = plugins.face if plugins.preset is None or context.typed("face") else None  # the preset's
        wish = DecisionRequest(metric, threshold, fmr, operating_point, plugins.preset)
        judge = faces.judge(wish, face, anti_spoof=anti_spoof, keep_image=plot is not None)
        if total != 1:
            matched, failed = _compare_many(judge, (a, others), sink, output, plugins.named_preset)
            return 1 if failed else NO_MATCH if exit_code and not matched else 0

        # Imported while the models load in their threads.
        from facecli.cli import progress
        from facecli.output import verifications

        if plot is not None:
            _check_plot(plot, (a, *b))
        with _reporting_further_failures():
            verification = judge.pair(a, b[0])
        progress.report_pictures(verification.results, output)
        document = verifications.document(verification, judge.tools, plugins.named_preset)
        if plot is not None:
            verifications.draw(plot, verification)
        seconds = {**verification.seconds, "total": time.perf_counter() - start}
        document["seconds"] = {stage: round(spent, 4) for stage, spent in seconds.items()}
    sink.document(document, verifications.rows(verification), sentences=verifications.sentences(verification))
    return NO_MATCH if exit_code and not verification.verified else 0


def _compare_many(
    judge: Judge,
    pictures: tuple[str, InputSettings],
    sink: Sink,
    output: OutputSettings,
    preset: dict[str, str],
) -> tuple[int, int]:
    """Compare one picture with each of many, write a record of each, and return how many matched and how many failed.

    pictures: the one, and the names of the others.
    """
    a, others = pictures

    from facecli.cli import comparing, inputs, progress
    from facecli.output import comparisons
    from facecli.output.overwriting import OutputPaths

    sources = inputs.open_sources(others, OutputPaths())
    probe = judge.probe(a)
    progress.report_pictures([probe], output)
    header = comparisons.header(probe, judge.rules, judge.tools, preset)
    return comparing.stream(sink, header, judge.against(probe, sources), output, total=inputs.total(others))


def _check_plot(plot: Path, inputs: tuple[str, ...]) -> None:
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
