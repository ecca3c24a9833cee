"""`facecli verify`: are these two pictures of the same person?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.commands import _options as options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facecli.compare import Closest, Decision
    from facecli.contract import RecognizerPlugin
    from facecli.pipeline import ImageResult
    from facecli.toolbox import Toolbox

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
    settings = options.Settings(**kwargs)

    from facecli.commands import _decision, _preset, _spoof, _work

    settings = _preset.applied(settings, "detector", "recognizer", "face")
    output = _work.open_output(settings)
    with output.opened():
        judges = _spoof.models(settings) if anti_spoof else ()
        tools = _work.open_toolbox(settings, inputs=2, attributes=judges, ensemble=True)

        from facecli import files, images
        from facecli.sources import single

        wish = _decision.Wish(metric, threshold, fmr, operating_point, settings.preset)
        rules = _decision.rules(tools, wish)
        if plot is not None:
            images.check_suffix(plot.suffix)
            files.refuse_inputs(plot, (a, b), "--plot")
            files.check_writable(plot)
        pipeline = _work.open_pipeline(tools, settings, inputs=2, keep_image=plot is not None)
        results = list(pipeline.run([single(a), single(b)]))
        _refuse_failures(results)
        rows, answer = _compared(tools, results, rules)
        document = _document(tools, results, rows, answer | _preset.named(settings))
        if anti_spoof:
            _spoof.judge(document, tools, results, rows)
        if plot is not None:
            _plot(plot, results, rows, document)
        document["seconds"] = {k: round(v, 4) for k, v in pipeline.clock.seconds.items()}
        document["seconds"]["total"] = round(time.perf_counter() - start, 4)
    output.document(document, _rows(document))
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


def _compared(
    tools: Toolbox, results: list[ImageResult], rules: Sequence[Decision]
) -> tuple[tuple[int, int], dict[str, Any]]:
    """The rows of the two faces that were compared, and what is said of them."""
    from facecli import compare

    a, b = ([row for row in (r.embeddings, *r.ensemble) if row is not None] for r in results)
    if len(rules) == 1:
        pair = compare.closest(a[0], b[0], rules[0].metric)
        return pair.rows, _answer(tools, tools.recognizer_plugins[0], rules[0], pair)
    fused = compare.fuse(a, b, rules)
    parts = zip(tools.recognizer_plugins, rules, fused.parts, strict=True)
    rule = "the mean over the recognizers of distance / threshold"
    return fused.rows, {
        "verified": fused.score <= compare.FUSED_THRESHOLD,
        "metric": "fused",
        "distance": round(fused.score, 6),
        "similarity": None,
        "threshold": compare.FUSED_THRESHOLD,
        "threshold_source": rule,
        "fmr": None,
        "recognizer": None,
        "decisions": [_answer(tools, *part) for part in parts],
    }


def _answer(tools: Toolbox, plugin: RecognizerPlugin, rule: Decision, pair: Closest) -> dict[str, Any]:
    from facecli import records

    recognizer = records.described(tools, plugin)
    assert recognizer is not None
    recognizer["preprocessing_version"] = plugin.preprocessing_version
    return {
        "verified": bool(pair.distance <= rule.threshold),
        "metric": rule.metric,
        "distance": round(pair.distance, 6),
        "similarity": round(pair.similarity, 6),
        "threshold": rule.threshold,
        "threshold_source": rule.source,
        "fmr": rule.fmr,
        "recognizer": recognizer,
    }


def _document(
    tools: Toolbox, results: list[ImageResult], rows: tuple[int, int], answer: dict[str, Any]
) -> dict[str, Any]:
    from facecli import records

    pictures = [records.chosen(result, row) for result, row in zip(results, rows, strict=True)]
    recognizer = {"recognizer": answer.pop("recognizer")}
    more = {key: answer.pop(key) for key in ("decisions", "preset") if key in answer}
    detector = records.described(tools, tools.detector_plugin)
    return records.header("verify", **answer, detector=detector, **recognizer, **more, images=pictures)


def _plot(path: Path, results: list[ImageResult], rows: tuple[int, int], document: dict[str, Any]) -> None:
    from facecli import draw, images
    from facecli.files import write_bytes

    same = document["verified"]
    panels = [draw.face_of(result, row, same=same) for result, row in zip(results, rows, strict=True)]
    picture = draw.verdict(panels, same, document["metric"], document["distance"], document["threshold"])
    write_bytes(path, images.encode(picture, path.suffix), parents=False)


def _rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    """One row, or one per recognizer and then what they say together."""
    pictures = document["images"]
    names: dict[str, Any] = {name: picture["source"] for name, picture in zip("ab", pictures, strict=True)}
    pictured: dict[str, Any] = {"detected": all(picture["detected"] for picture in pictures)}
    if "anti_spoof" in document:  # a fake is a no, whatever the distance
        pictured |= {
            f"real_{name}": picture["face"]["spoof"]["probabilities"]["real"]
            for name, picture in zip("ab", pictures, strict=True)
        }
    told = [
        names
        | {"recognizer": "all" if one["recognizer"] is None else one["recognizer"]["plugin"]}
        | _told(one)
        | pictured
        for one in (*document.get("decisions", ()), document)
    ]
    return told if len(told) > 1 else [names | _told(document) | pictured]


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: answer[key] for key in ("verified", "metric", "distance", "threshold")}
