"""The threshold of a clustering: from the rates that the recognizer was measured at, not the one of two pictures.

Among N faces there are N (N - 1) / 2 pairs, so that a threshold at which one stranger in a hundred passes joins people
everywhere. Average linkage wants as many errors before it is wrong as there are pairs between two clusters, and bears
an FMR of 1e-3: docs/tutorial-people.md has the curve, and benchmarks/clustering.py measures it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from facecli.contract import RecognizerPlugin
from facecli.errors import UsageError
from facecli.hosting.registry import Registry
from facecli.matching import stored
from facecli.matching.rules import Circumstances, DecisionRequest, rule_for
from facecli.matching.stored import StoredEmbeddings
from facecli.matching.thresholds import DecisionRule

FMR = 1e-3  # where the user names neither threshold nor rate


@dataclass(frozen=True, slots=True)
class Rule:
    """Two clusters are one person if their faces' mean cosine distance is at most `threshold`.

    source: who or what states it. fmr: the false match rate of two faces there, None where the user gave a threshold.
    """

    threshold: float
    source: str
    fmr: float | None


def wish(threshold: float | None, fmr: float | None) -> DecisionRequest:
    """Return the request for a rule. Raises UsageError for a threshold and a rate."""
    if threshold is not None and fmr is not None:
        message = "{threshold} and {fmr} exclude each other"
        raise UsageError(message, hint="give one of them", about=("threshold", "fmr"))
    return DecisionRequest("cosine", threshold, FMR if threshold is None and fmr is None else fmr)


def for_plugin(tools: Circumstances, plugin: RecognizerPlugin, wished: DecisionRequest) -> Rule:
    """Return the rule for faces that a recognizer embeds now. Raises UsageError if its rates were not measured."""
    return _rule(rule_for(tools, plugin, wished))


def for_stored(embeddings: StoredEmbeddings, wished: DecisionRequest, registry: Registry) -> Rule:
    """Return the rule for stored embeddings. Raises UsageError as `for_plugin`, and for those of another version."""
    return _rule(stored.rule(embeddings, embeddings, replace(wished, preset=embeddings.header.get("preset")), registry))


def _rule(decided: DecisionRule) -> Rule:
    return Rule(decided.threshold, decided.source, decided.fmr)
