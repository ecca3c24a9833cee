"""`facecli verify`: are these two pictures of the same person?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import options
from facecli.cli.settings import Settings
from facecli.matching.verification import _compared
from facecli.output.verifications import _document, _plot, _rows

if TYPE_CHECKING:
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
    from facecli.matching import rules as rules_module
    from facecli.matching.anti_spoof import judge, models

    settings = preset.applied(settings, "detector", "recognizer", "face")
    output = context.open_output(settings)
    with output.opened():
        judges = models(settings) if anti_spoof else ()
        tools = wiring.open_toolbox(settings, inputs=2, attributes=judges, ensemble=True)

        from facecli.output import overwriting
        from facecli.pictures import codec
        from facecli.pictures.sources import single
        from facecli.system import files

        wish = rules_module.Wish(metric, threshold, fmr, operating_point, settings.preset)
        rules = rules_module.rules(tools, wish)
        if plot is not None:
            codec.check_suffix(plot.suffix)
            overwriting.refuse_inputs(plot, (a, b), "plot")
            files.check_writable(plot)
        pipeline = wiring.open_pipeline(tools, settings, inputs=2, keep_image=plot is not None)
        results = list(pipeline.run([single(a), single(b)]))
        _refuse_failures(results)
        rows, answer = _compared(tools, results, rules)
        document = _document(tools, results, rows, answer | preset.named(settings))
        if anti_spoof:
            judge(document, tools, results, rows)
        if plot is not None:
            _plot(plot, results, rows, document)
        document["seconds"] = {k: round(v, 4) for k, v in pipeline.clock.seconds.items()}
        document["seconds"]["total"] = round(time.perf_counter() - start, 4)
    output.document(document, _rows(document))
    return NO_MATCH if exit_code and not document["verified"] else 0


def _refuse_failures(results: list[ImageResult]) -> None:
    """Raise the first error; tell the others, so that both pictures can be mended at once."""
    from facecli.cli import progress

    failed = [result for result in results if result.error is not None]
    for result in failed[1:]:
        assert result.error is not None
        progress.tell(result.source, result.error)
    if failed:
        assert failed[0].error is not None
        raise failed[0].error
