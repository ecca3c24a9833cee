"""Who the faces of pictures are, for people and programs: records, rows, and names drawn on pictures."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from facecli.errors import Wording
from facecli.gallery.decision import Identification
from facecli.gallery.rule import Rule
from facecli.output import records, rows
from facecli.output.marks import GREEN, GREY, draw_face
from facecli.output.records import Record
from facecli.output.verifications import DIGITS
from facecli.pipeline.results import ImageResult
from facecli.types import UInt8Array

_COLUMNS = ("person", "outcome", "candidate", "distance", "threshold", "margin", "near")


def csv_columns(*, rotated: bool) -> list[str]:
    """Return the columns of a CSV. rotated: see rows.csv_columns."""
    return [*rows.csv_columns(rotated=rotated), *_COLUMNS]


def rule(decided: Rule) -> Record:
    """Return the parts of a document that say how its faces were decided."""
    return {
        "threshold": round(decided.threshold, DIGITS),
        "threshold_source": decided.source,
        "fpir": decided.fpir,
        "margin": round(decided.margin, DIGITS),
        "near": None if decided.near is None else round(decided.near, DIGITS),
    }


def image(result: ImageResult, answers: Sequence[Identification], decided: Rule, wording: Wording) -> Record:
    """Return one picture with who its faces are. answers: one for each face. wording: spells settings in an error."""
    record = records.image(result, wording=wording)
    for face, answer in zip(record["faces"], answers, strict=bool(answers)):
        face.update(_answer(answer, decided))
    return record


def csv_rows(record: Record) -> list[Record]:
    """Return the rows of a CSV: one per face, with its first candidate."""
    found = rows.csv_rows(record)
    for row, face in zip(found, record["faces"], strict=False):
        first = (face["candidates"] or [{}])[0]
        row |= {name: face[name] for name in ("person", "outcome", "margin", "near")}
        row |= {"candidate": first.get("person"), **{name: first.get(name) for name in ("distance", "threshold")}}
    return found


def table_rows(record: Record) -> list[Record]:
    """Return the rows of a table: one per face, which fits 80 columns."""
    if not record["faces"]:
        return rows.table_rows(record)
    return [_table_row(record["source"], face) for face in record["faces"]]


def draw(result: ImageResult, answers: Sequence[Identification]) -> UInt8Array:
    """Return a copy of the picture with every face, green with a name where there is one, else grey.

    OpenCV's letters are ASCII: accents are left out.
    """
    assert result.image is not None  # drawing is announced to the pipeline, which then keeps the picture
    canvas = np.ascontiguousarray(result.image.pixels.copy())
    for row, answer in enumerate(answers):
        plain = unicodedata.normalize("NFKD", answer.person or answer.outcome).encode("ascii", "ignore").decode()
        draw_face(canvas, result, row, GREEN if answer.person else GREY, plain)
    return canvas


def _answer(answer: Identification, decided: Rule) -> Record:
    return {
        "person": answer.person,
        "outcome": answer.outcome,
        "candidates": [
            {
                "rank": one.rank,
                "person": one.person,
                "distance": round(one.distance, DIGITS),
                "similarity": round(1.0 - one.distance, DIGITS),
                "templates": one.templates,
                "threshold": round(decided.threshold, DIGITS),
                "accepted": one.accepted,
            }
            for one in answer.candidates
        ],
        "margin": None if answer.margin is None else round(answer.margin, DIGITS),
        "near": answer.near,
    }


def _table_row(source: str, face: Record) -> Record:
    """Return a row: the person, or the candidate whom the answer is not."""
    first = (face["candidates"] or [{}])[0]
    return {
        "source": source,
        "face": face["index"],
        "person": face["person"],
        "outcome": "near" if face["near"] else face["outcome"],
        "candidate": first.get("person"),
        "distance": first.get("distance"),
    }
