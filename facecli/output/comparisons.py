"""One picture compared with many: the document of `facecli verify A B C`, a record per comparison, and its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facecli.errors import Wording, keyword
from facecli.hosting.toolbox import Toolbox
from facecli.matching.closest import FUSION_THRESHOLD
from facecli.matching.thresholds import DecisionRule
from facecli.matching.verification import FUSED, FUSED_SOURCE, Verification
from facecli.output import records, verifications
from facecli.output.records import Record
from facecli.pipeline.results import ImageResult

CSV_COLUMNS = ("a", "b", "face_a", "face_b", "verified", "metric", "distance", "threshold", "error")


def header(
    probe: ImageResult, rules: Sequence[DecisionRule], tools: Toolbox, extra: Mapping[str, Any] | None = None
) -> Record:
    """Return the beginning of the document: the rule of all comparisons, the plugins, and the picture A with its faces.

    rules: one of each recognizer of the toolbox. extra: further parts, such as the name of a preset.
    """
    described = [
        {"recognizer": tools.describe(plugin)} | rule_record(rule)
        for plugin, rule in zip(tools.recognizer_plugins, rules, strict=True)
    ]
    image = records.image(probe)
    del image["error"]
    (first, *others) = described
    return records.header(
        "verify.many",
        **(rule_record(None) if others else rule_record(rules[0])),
        detector=records.described(tools, tools.detector_plugin),
        recognizer=None if others else first["recognizer"],
        **({"recognizers": described} if others else {}),
        **(extra or {}),
        **_anti_spoof(tools),
        image=image,
    )


def rule_record(rule: DecisionRule | None) -> Record:
    """Return the metric, threshold and measured rates of a rule; of None those of several recognizers together."""
    if rule is None:
        rates = {"fmr": None, "fmr_worst_group": None}
        return {"metric": FUSED, "threshold": FUSION_THRESHOLD, "threshold_source": FUSED_SOURCE, **rates}
    return {
        "metric": rule.metric,
        "threshold": rule.threshold,
        "threshold_source": rule.source,
        "fmr": rule.fmr,
        "fmr_worst_group": rule.fmr_worst_group,
        **records.cohort(rule.cohort),
    }


def record(result: ImageResult, verification: Verification | None, wording: Wording = keyword) -> Record:
    """Return one comparison: a picture, the face of it that was compared, and the verdict.

    verification: None if the picture failed or shows no face; the verdict is null then. wording: spelling of settings
    in an error.
    """
    picture = records.image(result, wording=wording)
    faces, error = picture.pop("faces"), picture.pop("error")
    if verification is None:
        verdict: Record = {"verified": None, "distance": None, "similarity": None, "face_a": None, "face": None}
        return picture | verdict | {"error": error}
    first, (row_a, row_b) = verification.results[0], verification.rows
    verdict = verifications.verdict(verification)
    if len(verification.decisions) > 1:
        verdict["decisions"] = [
            {"recognizer": decision.recognizer} | verifications.verdict(decision) for decision in verification.decisions
        ]
    if verification.anti_spoof is not None:
        verdict |= verifications.real(verification.anti_spoof)
    return picture | verdict | {"face_a": first.indices[row_a], "face": faces[row_b], "error": error}


def csv_rows(header: Record, comparison: Record) -> list[Record]:
    """Return the row of a CSV for one comparison. header: the document's beginning."""
    face = comparison["face"] or {}
    row = {
        "a": header["image"]["source"],
        "b": comparison["source"],
        "face_a": comparison["face_a"],
        "face_b": face.get("index"),
        "verified": comparison["verified"],
        "metric": header["metric"],
        "distance": comparison["distance"],
        "threshold": header["threshold"],
        "error": comparison["error"] and comparison["error"]["code"],
    }
    return [row | {name: comparison[name] for name in verifications.REAL if name in comparison}]


def table_rows(header: Record, comparison: Record) -> list[Record]:
    """Return the row of a table for one comparison: the picture, the answer, the distance and the threshold."""
    if comparison["error"]:
        answer = "failed"
    else:
        answer = {True: "same person", False: "different", None: "no face"}[comparison["verified"]]
    row = {"picture": comparison["source"], "answer": answer, f"{header['metric']} distance": comparison["distance"]}
    return [row | {"threshold": header["threshold"]}]


def _anti_spoof(tools: Toolbox) -> Record:
    """Return the part that names the model which judged whether faces are real; nothing where none was asked for."""
    if not tools.attribute_plugins:
        return {}
    from facecli.matching.anti_spoof import THRESHOLD

    return {"anti_spoof": {"threshold": THRESHOLD, **tools.describe(tools.attribute_plugins[0])}}
