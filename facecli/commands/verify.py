"""`facecli verify`: decides whether two pictures show the same person."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import options
from facecli.cli.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facecli.pipeline.results import ImageResult


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
def command(
    a: str,
    b: str,
    metric: Any,
    threshold: float | None,
    fmr: float | None,
    operating_point: str | None,
    anti_spoof: bool,
    plot: Path | None,
    exit_code: bool,
    **kwargs: Any,
) -> int:
    """Decide whether two pictures show the same person (1:1).

    A and B are files, URLs, or - for a picture on stdin. With --face all, the closest pair of faces decides. With
    --recognizer a,b,c each decides for itself, and together they say yes where the mean of distance / threshold is at
    most 1.
    """
    start = time.perf_counter()
    if a == b == "-":
        raise click.UsageError("stdin can be read only once")
    settings = Settings(**kwargs)

    from facecli.cli import context, preset, wiring

    settings = preset.applied(settings, "detector", "recognizer", "face")
    sink = context.open_output(settings)
    with sink.opened():
        attributes = (_anti_spoof_model(settings),) if anti_spoof else ()
        tools = wiring.open_toolbox(settings, inputs=2, attributes=attributes, ensemble=True)

        # Imported while the models load in their threads.
        from facecli.matching.rules import DecisionRequest, rules_for
        from facecli.matching.verification import verify
        from facecli.output import overwriting, verifications
        from facecli.pictures import codec
        from facecli.pictures.sources import single
        from facecli.system import files

        rules = rules_for(tools, DecisionRequest(metric, threshold, fmr, operating_point, settings.preset))
        if plot is not None:
            codec.check_suffix(plot.suffix)
            overwriting.refuse_inputs(plot, (a, b), "plot")
            files.check_writable(plot)
        pipeline = wiring.open_pipeline(tools, settings, inputs=2, keep_image=plot is not None)
        results = list(pipeline.run([single(a), single(b)]))
        _report_further_failures(results)
        verification = verify(tools, results, rules, anti_spoof=anti_spoof)
        document = verifications.document(verification, tools) | preset.named(settings)
        if plot is not None:
            verifications.draw(plot, verification)
        seconds = pipeline.clock.seconds | {"total": time.perf_counter() - start}
        document["seconds"] = {stage: round(spent, 4) for stage, spent in seconds.items()}
    sink.document(document, verifications.rows(verification))
    return NO_MATCH if exit_code and not verification.verified else 0


def _anti_spoof_model(settings: Settings) -> str:
    from facecli.cli import context
    from facecli.matching import anti_spoof

    return anti_spoof.model(context.registry(), context.open_store(), detect=not settings.no_detect)


def _report_further_failures(results: Sequence[ImageResult]) -> None:
    """Report all failures but the first, which ends the command, so that both pictures can be replaced at once."""
    from facecli.cli import progress

    for result in [result for result in results if result.error is not None][1:]:
        assert result.error is not None
        progress.tell(result.source, result.error)
