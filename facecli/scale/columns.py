"""The parts of a shard's files beside the rows: the models as they run, and the columns of attributes and measures."""

from __future__ import annotations

from typing import Any

from facecli.hosting.toolbox import Toolbox
from facecli.output import records, rows
from facecli.scale.query import Query


def header(query: Query, tools: Toolbox) -> dict[str, Any]:
    """Return the beginning of the document that the command writes elsewhere: the models as they run."""
    parts: dict[str, Any] = {"detector": records.described(tools, tools.detector_plugin)}
    if query.request.embed:
        parts["recognizer"] = records.embedder(tools)
    if tools.attribute_plugins or query.command in ("analyze", "emotion"):
        parts["attributes"] = {one.attribute: records.described(tools, one) for one in tools.attribute_plugins}
    if query.command == "analyze":
        parts["measures"] = list(query.request.measures)
    preset = query.settings.get("preset")
    return records.header(query.command, **parts) | ({} if preset is None else {"preset": preset})


def of_answers(query: Query, tools: Toolbox) -> tuple[list[str], list[str]]:
    """Return the columns for attributes and measures, named as in a CSV: those of texts and those of numbers."""
    labels = {one.attribute: one.labels for one in tools.attribute_plugins}
    estimated = [one.attribute for one in tools.attribute_plugins if one.bins]
    # A number with a distribution has no labels that are told.
    shown = {name: () if name in estimated else told for name, told in labels.items()}
    names = [*rows.attribute_columns(shown, estimated), *rows.measure_columns(query.request.measures)]
    texts = [name for name in names if shown.get(name)]
    return texts, [name for name in names if name not in texts]
