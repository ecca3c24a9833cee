"""`facecli verify`: are these two pictures of the same person?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.commands import _options as options

if TYPE_CHECKING:
    from facecli.compare import Decision
    from facecli.pipeline import ImageResult

NO_MATCH = 3


@click.command()
@click.argument("a")
@click.argument("b")
@options.recognizer_options
@options.decision_options
@options.detector_options
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
    anti_spoof: bool,
    plot: Path | None,
    exit_code: bool,
    **kwargs: Any,
) -> int:
    """Decide whether two pictures show the same person (1:1).

    A and B are files, URLs, or - for a picture on stdin. With --face all, the closest pair of faces decides.
    """
    start = time.perf_counter()
    if a == b == "-":
        raise click.UsageError("stdin can be read only once")
    settings = options.Settings(**kwargs)

    from facecli.commands import _spoof, _work

    output = _work.open_output(settings)
    with output.opened():
        judges = _spoof.models(settings) if anti_spoof else ()
        tools = _work.open_toolbox(settings, inputs=2, attributes=judges)

        from facecli import compare, files, images
        from facecli.sources import single

        assert tools.recognizer_plugin is not None
        altered = tools.parameters(tools.recognizer_plugin) != dict(tools.recognizer_plugin.parameters)
        rule = compare.decide(tools.recognizer_plugin, metric, threshold, fmr, altered=altered)
        if plot is not None:
            images.check_suffix(plot.suffix)
            files.refuse_inputs(plot, (a, b), "--plot")
            files.check_writable(plot)
        pipeline = _work.open_pipeline(tools, settings, inputs=2, keep_image=plot is not None)
        results = list(pipeline.run([single(a), single(b)]))
        _refuse_failures(results)
        first, second = (result.embeddings for result in results)
        assert first is not None and second is not None
        pair = compare.closest(first, second, rule.metric)
        document = _document(tools, results, rule, pair)
        if anti_spoof:
            _spoof.judge(document, tools, results, pair.rows)
        if plot is not None:
            _plot(plot, results, pair, document)
        document["seconds"] = {k: round(v, 4) for k, v in pipeline.clock.seconds.items()}
        document["seconds"]["total"] = round(time.perf_counter() - start, 4)
    output.document(document, [_row(document)])
    return NO_MATCH if exit_code and not document["verified"] else 0


def _refuse_failures(results: list[ImageResult]) -> None:
    """Raise the first error; tell the others, so that both pictures can be mended at once."""
    from facecli.commands import _work

    failed = [result for result in results if result.error is not None]
    for result in failed[1:]:
        assert result.error is not None
        _work.tell(result.source, result.error)
    if failed:
        assert failed[0].error is not None
        raise failed[0].error


def _document(tools: Any, results: list[ImageResult], rule: Decision, pair: Any) -> dict[str, Any]:
    from facecli import records

    recognizer = records.described(tools, tools.recognizer_plugin)
    assert recognizer is not None
    recognizer["preprocessing_version"] = tools.recognizer_plugin.preprocessing_version
    faces = zip(results, pair.rows, strict=True)
    return records.header(
        "verify",
        verified=bool(pair.distance <= rule.threshold),
        metric=rule.metric,
        distance=round(pair.distance, 6),
        similarity=round(pair.similarity, 6),
        threshold=rule.threshold,
        threshold_source=rule.source,
        fmr=rule.fmr,
        detector=records.described(tools, tools.detector_plugin),
        recognizer=recognizer,
        images=[records.chosen(result, row) for result, row in faces],
    )


def _plot(path: Path, results: list[ImageResult], pair: Any, document: dict[str, Any]) -> None:
    from facecli import draw, images
    from facecli.files import write_bytes

    same = document["verified"]
    panels = [draw.face_of(result, row, same=same) for result, row in zip(results, pair.rows, strict=True)]
    picture = draw.verdict(panels, same, document["metric"], document["distance"], document["threshold"])
    write_bytes(path, images.encode(picture, path.suffix), parents=False)


def _row(document: dict[str, Any]) -> dict[str, Any]:
    pictures = document["images"]
    row: dict[str, Any] = {name: picture["source"] for name, picture in zip("ab", pictures, strict=True)}
    row |= {key: document[key] for key in ("verified", "metric", "distance", "threshold")}
    return row | {"detected": all(picture["detected"] for picture in pictures)}
