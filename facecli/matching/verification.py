"""TODO: facecli.matching.verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facecli.contract import RecognizerPlugin
    from facecli.hosting.toolbox import Toolbox
    from facecli.matching.closest import Closest
    from facecli.matching.thresholds import Decision
    from facecli.pipeline.results import ImageResult


def _compared(
    tools: Toolbox, results: list[ImageResult], rules: Sequence[Decision]
) -> tuple[tuple[int, int], dict[str, Any]]:
    """The rows of the two faces that were compared, and what is said of them."""
    from facecli.matching import closest

    a, b = ([row for row in (r.embeddings, *r.further_embeddings) if row is not None] for r in results)
    if len(rules) == 1:
        pair = closest.closest(a[0], b[0], rules[0].metric)
        return pair.rows, _answer(tools, tools.recognizer_plugins[0], rules[0], pair)
    fused = closest.fuse(a, b, rules)
    parts = zip(tools.recognizer_plugins, rules, fused.parts, strict=True)
    rule = "the mean over the recognizers of distance / threshold"
    return fused.rows, {
        "verified": fused.score <= closest.FUSED_THRESHOLD,
        "metric": "fused",
        "distance": round(fused.score, 6),
        "similarity": None,
        "threshold": closest.FUSED_THRESHOLD,
        "threshold_source": rule,
        "fmr": None,
        "recognizer": None,
        "decisions": [_answer(tools, *part) for part in parts],
    }


def _answer(tools: Toolbox, plugin: RecognizerPlugin, rule: Decision, pair: Closest) -> dict[str, Any]:
    from facecli.output import records

    recognizer = records.described(tools, plugin)
    assert recognizer is not None
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
