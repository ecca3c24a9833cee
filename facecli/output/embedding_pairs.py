"""Stored embeddings compared with each other: the document of `facecli compare`, a record per pair, and its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from facecli.matching.cohort import templates
from facecli.matching.metrics import pairwise
from facecli.matching.stored import StoredEmbeddings
from facecli.matching.thresholds import DecisionRule
from facecli.output import records
from facecli.output.comparisons import rule_record
from facecli.output.records import Record
from facecli.output.verifications import DIGITS

BLOCK = 256  # embeddings of the first file that are compared at once
CSV_COLUMNS = ("a", "face_a", "b", "face_b", "verified", "metric", "distance", "threshold")


def header(x: StoredEmbeddings, y: StoredEmbeddings, rule: DecisionRule) -> Record:
    """Return the beginning of the document: the files, the rule, and what made the embeddings."""
    described = {key: x.header[key] for key in ("detector", "recognizer", "preset") if key in x.header}
    return records.header("compare", files=[str(x.path), str(y.path)], **rule_record(rule), **described)


def pairs(x: StoredEmbeddings, y: StoredEmbeddings, rule: DecisionRule, *, matches: bool) -> Iterator[Record]:
    """Yield a record for each embedding of one file with each of the other; matches: only for those of one person."""
    others = templates(rule.cohort, y.rows)
    for start in range(0, len(x.rows), BLOCK):
        block = x.rows[start : start + BLOCK]
        distances = pairwise(templates(rule.cohort, block), others, rule.metric)
        similarities = 1.0 - pairwise(block, y.rows, "cosine")
        wanted = np.argwhere(distances <= rule.threshold) if matches else np.argwhere(np.isfinite(distances))
        for i, j in wanted.tolist():
            yield {
                "a": _place(x, start + i),
                "b": _place(y, j),
                "verified": bool(distances[i, j] <= rule.threshold),
                "distance": round(float(distances[i, j]), DIGITS),
                "similarity": round(float(similarities[i, j]), DIGITS),
            }


def csv_rows(header: Record, pair: Record) -> list[Record]:
    """Return the row of a CSV for one pair. header: the document's beginning."""
    return [
        {
            "a": pair["a"]["source"],
            "face_a": pair["a"]["face"],
            "b": pair["b"]["source"],
            "face_b": pair["b"]["face"],
            "verified": pair["verified"],
            "metric": header["metric"],
            "distance": pair["distance"],
            "threshold": header["threshold"],
        }
    ]


def table_rows(header: Record, pair: Record) -> list[Record]:
    """Return the row of a table for one pair: both faces, the answer and the distance."""
    names = {name: f"{pair[name]['source']} {pair[name]['face']}" for name in "ab"}
    answer = "same person" if pair["verified"] else "different"
    return [names | {"answer": answer, f"{header['metric']} distance": pair["distance"]}]


def _place(stored: StoredEmbeddings, row: int) -> dict[str, Any]:
    return {"source": stored.sources[row], "face": stored.faces[row]}
