"""Plugins as records and rows: what `facecli plugins list` and `facecli plugins info` write."""

from __future__ import annotations

from typing import Any

from facecli.hosting.parameters import json_safe
from facecli.hosting.problems import Inspection


def summary(inspection: Inspection) -> dict[str, Any]:
    """Return a plugin's line in a list: kind, name, distribution and version, summary, and why it is broken."""
    entry = inspection.entry
    return {
        "kind": entry.kind,
        "name": entry.name,
        "distribution": entry.distribution,
        "version": entry.version,
        "summary": getattr(inspection.descriptor, "summary", None),
        "problem": inspection.problem,
    }


def brief(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of a list with the columns that tell plugins apart: their problems only where there are any."""
    columns = ["kind", "name", "summary", *(["problem"] if any(row["problem"] for row in rows) else [])]
    if len({row["distribution"] for row in rows}) > 1:
        columns.insert(2, "distribution")
    return [{column: row[column] for column in columns} for row in rows]


def detail(inspection: Inspection) -> dict[str, Any]:
    """Return a plugin's summary with its module, the defaults of its parameters, and the ids of its models."""
    return summary(inspection) | {
        "module": inspection.entry.module,
        "parameters": json_safe(getattr(inspection.descriptor, "parameters", {})),
        "models": [spec.id for spec in getattr(inspection.descriptor, "models", ())],
    }


def detail_rows(inspection: Inspection) -> list[dict[str, Any]]:
    """Return a plugin's details as rows of field and value; parameters are spelled as Python does."""
    parameters = dict(getattr(inspection.descriptor, "parameters", {}))
    fields = detail(inspection) | {"parameters": parameters}
    return [{"field": key, "value": value} for key, value in fields.items() if value is not None]
