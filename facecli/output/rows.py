"""Records of pictures as rows: of a CSV, with every number in a column, or of a table that people read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from facecli.faces.measures import MEASURES
from facecli.output.records import Record

_BBOX = ("x1", "y1", "x2", "y2")
_LANDMARKS = tuple(f"l{point}{axis}" for point in range(5) for axis in "xy")
_BEFORE = ("source", "face", *_BBOX, "score", "detected")


def csv_columns(*, rotated: bool = False) -> list[str]:
    """Return the columns of every command; a command adds columns for what else it has of a face.

    rotated: with the degrees by which the picture was turned.
    """
    return [*_BEFORE, *(["rotated"] if rotated else []), *_LANDMARKS, "error"]


# What a number that is known as a distribution has besides its value.
NUMBER_PARTS = ("spread", "low", "high")


def measure_column(name: str, part: str) -> str:
    """Return the column of a CSV for one number of a measure or an attribute."""
    return f"{name} {part}"


def measure_columns(names: Sequence[str]) -> list[str]:
    """Return the columns of a CSV that hold the numbers of these measures."""
    return [measure_column(name, part) for name in names for part in MEASURES[name]]


def embedding_columns(dim: int) -> list[str]:
    """Return the columns of a CSV that hold an embedding of `dim` values."""
    return [f"e{i}" for i in range(dim)]


def attribute_columns(attributes: Mapping[str, Sequence[str]], estimated: Collection[str] = ()) -> list[str]:
    """Return the columns of a CSV that hold attributes: each attribute's answer, and a probability for each label.

    attributes: name -> labels; no labels for a number. estimated: those whose number comes with its spread.
    """
    several = len(attributes) > 1
    columns = []
    for name, labels in attributes.items():
        columns += [name, *_label_columns(name, labels, several)]
        columns += [measure_column(name, part) for part in NUMBER_PARTS if name in estimated]
    return columns


def csv_rows(record: Record) -> list[Record]:
    """Return the rows of a CSV for one picture: one per face, or a single one with the error if there is no face."""
    return [_csv_row(record, face) for face in record["faces"]] or [_csv_row(record, None)]


def table_rows(record: Record) -> list[Record]:
    """Return the rows of a table for one picture: one per face, or a single one with the error if there is no face."""
    return [_table_row(record, face) for face in record["faces"]] or [_table_row(record, None)]


def _csv_row(record: Record, face: Record | None) -> Record:
    face = face or {}
    row = {"source": record["source"], "face": face.get("index")}
    row |= dict(zip(_BBOX, face.get("bbox") or [None] * 4, strict=True))
    row |= {"score": face.get("score"), "detected": record["detected"]}
    row |= {"rotated": record["rotated"]} if "rotated" in record else {}
    values = [value for point in face.get("landmarks") or () for value in point]
    row |= dict(zip(_LANDMARKS, values or [None] * len(_LANDMARKS), strict=True))
    row |= {"error": record["error"] and record["error"]["code"]}
    values = face.get("embedding", ())
    row |= dict(zip(embedding_columns(len(values)), values, strict=True))
    answers = _answers(face)
    for name, answer in answers:
        shown = answer.get("probabilities", {})
        labels = _label_columns(name, list(shown), several=len(answers) > 1)
        row |= {name: answer.get("label", answer.get("value"))} | dict(zip(labels, shown.values(), strict=True))
        row |= {measure_column(name, part): answer[part] for part in NUMBER_PARTS if part in answer}
    for name, parts in _measures(face):
        row |= {measure_column(name, part): value for part, value in parts.items()}
    return row


def _label_columns(attribute: str, labels: Sequence[str], several: bool) -> list[str]:
    """Return a column per label; of several attributes, which may share labels, each begins with its attribute."""
    return [f"{attribute} {label}" if several else label for label in labels]


def _table_row(record: Record, face: Record | None) -> Record:
    face = face or {}
    bbox = face.get("bbox")
    row = {"source": record["source"], "face": face.get("index"), "bbox": bbox and " ".join(f"{v:.0f}" for v in bbox)}
    row |= {"score": face.get("score")} | ({"detected": False} if record["detector_ran"] is False else {})
    row |= {"rotated": record["rotated"]} if record.get("rotated") else {}
    answers = _answers(face)
    for name, answer in answers:
        row[name] = _shown(answer)
    for name, parts in _measures(face):
        row[name] = ", ".join(f"{part} {value:.3g}" for part, value in parts.items() if value is not None)
    if "embedding" in face:
        row["embedding"] = (
            f"{len(face['embedding'])} values: {', '.join(f'{v:.3f}' for v in face['embedding'][:3])}, ..."
        )
    return row | ({"error": record["error"]["message"]} if record["error"] else {})


def _shown(answer: Record) -> Any:
    """Return an answer as a cell of a table: a number, with the interval around it where it has one, or a label.

    A label has its probability. Where that is not among those shown, or there is no label, the cell has what is shown.
    """
    if "spread" in answer:
        return f"{answer['value']:.0f} ({answer['low']:.0f} to {answer['high']:.0f})"
    if "probabilities" not in answer:
        return answer.get("value")
    label, shown = answer["label"], answer["probabilities"]
    if label in shown:
        return f"{label} {shown[label]:.0%}"
    likeliest = sorted(shown.items(), key=lambda pair: -pair[1])
    listed = ", ".join(f"{name} {probability:.0%}" for name, probability in likeliest[:2])
    return f"{label or 'unsure'} ({listed})"


def _answers(face: Record) -> list[tuple[str, Record]]:
    return [(name, answer) for name, answer in face.items() if isinstance(answer, dict) and name not in MEASURES]


def _measures(face: Record) -> list[tuple[str, Record]]:
    return [(name, face[name]) for name in MEASURES if name in face]
