"""Results as plain records, the same for JSON, tables and CSV; the JSON Schemas in docs/ describe them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facecli import __version__
from facecli.errors import FacecliError
from facecli.measures import MEASURES
from facecli.parameters import Plugin
from facecli.pipeline import ImageResult
from facecli.toolbox import Toolbox
from facecli.types import Detections, FloatArray

Record = dict[str, Any]

PIXEL_DIGITS, SCORE_DIGITS = 2, 4
_BBOX = ("x1", "y1", "x2", "y2")
_LANDMARKS = tuple(f"l{point}{axis}" for point in range(5) for axis in "xy")
# Those of every command; a command adds what else it knows of a face.
CSV_COLUMNS = ("source", "face", *_BBOX, "score", "detected", *_LANDMARKS, "error")


def header(schema: str, **parts: Any) -> dict[str, Any]:
    """The beginning of every document: schema name with its version, and the tool's version."""
    return {"schema": f"facecli.{schema}/1", "version": __version__, **parts}


def face(detections: Detections | None, row: int, index: int) -> dict[str, Any]:
    """One face: its index among those found, bbox and landmarks in px, score. All null for a crop without detection."""
    if detections is None:
        return {"index": index, "bbox": None, "score": None, "landmarks": None}
    landmarks = None if detections.landmarks is None else detections.landmarks[row].tolist()
    return {
        "index": index,
        "bbox": [round(v, PIXEL_DIGITS) for v in detections.bboxes[row].tolist()],
        "score": round(float(detections.scores[row]), SCORE_DIGITS),
        "landmarks": landmarks and [[round(v, PIXEL_DIGITS) for v in point] for point in landmarks],
    }


def embedding(row: FloatArray) -> list[float]:
    """A float32 row as the shortest decimals that read back as the same float32."""
    return [float(text) for text in row.astype(str)]


def probabilities(
    labels: Sequence[str], row: FloatArray, shown: Sequence[str] | None = None, floor: float = 0.0
) -> dict[str, Any]:
    """An attribute's answer: the likeliest label and the probabilities, or a number if it has no labels.

    shown: the labels to give probabilities of, where the attribute has any of them; the likeliest is told all the same.
    floor: the probability that the likeliest must reach to be told; below it the label is None.
    """
    if not labels:
        return {"value": round(float(row[0]), SCORE_DIGITS)}
    every = {label: round(float(p), SCORE_DIGITS) for label, p in zip(labels, row, strict=True)}
    some = {label: every[label] for label in shown_labels(labels, shown)}
    best = int(row.argmax())
    return {"label": labels[best] if row[best] >= floor else None, "probabilities": some}


def measure(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """What was measured of a face, rounded; None where it could not be measured."""
    return {name: None if value is None else round(value, SCORE_DIGITS) for name, value in values.items()}


def measure_column(name: str, part: str) -> str:
    """The column of a CSV for one number of a measure."""
    return f"{name} {part}"


def shown_labels(labels: Sequence[str], shown: Sequence[str] | None = None) -> list[str]:
    """Those of an attribute's labels that are asked for, or all if none of them is."""
    return [label for label in labels if shown and label in shown] or list(labels)


def error(failure: FacecliError | None) -> dict[str, str | None] | None:
    """An error as it appears in a record: code, message and hint; None for none."""
    return None if failure is None else failure.as_dict()


def image(result: ImageResult, extra: Sequence[Record] | None = None) -> Record:
    """One picture with its faces; extra: what else is known of each face, in the same order."""
    faces = [face(result.detections, row, index) for row, index in enumerate(result.indices)]
    if extra is not None:
        faces = [own | more for own, more in zip(faces, extra, strict=True)]
    return {
        "source": result.source,
        "width": result.width,
        "height": result.height,
        "detected": result.detected,
        "faces_found": result.found,
        "faces": faces,
        "error": error(result.error),
    }


def chosen(result: ImageResult, row: int) -> Record:
    """One picture of a comparison, with the one face of it that was compared."""
    record = image(result)
    faces = record.pop("faces")
    del record["error"]
    return record | {"face": faces[row]}


def described(tools: Toolbox, plugin: Plugin | None) -> Record | None:
    """Which plugin, models and provider really run; waits until they are loaded. None where a stage is left out."""
    return None if plugin is None else tools.describe(plugin)


def embedding_columns(dim: int) -> list[str]:
    """The columns of a CSV that hold an embedding."""
    return [f"e{i}" for i in range(dim)]


def attribute_columns(attributes: Mapping[str, Sequence[str]]) -> list[str]:
    """The columns of a CSV that hold attributes: each attribute's answer, and a probability for each label."""
    several = len(attributes) > 1
    return [column for name, labels in attributes.items() for column in (name, *_label_columns(name, labels, several))]


def identity(recognizer: Record) -> Record:
    """What an embedding must carry in a row of its own: the model, its sha256 and its preprocessing's version."""
    files = [file["sha256"] for model in recognizer["models"] for file in model["files"]]
    return {
        "model": " ".join(model["id"] for model in recognizer["models"]) or recognizer["plugin"],
        "sha256": " ".join(files),
        "preprocessing_version": recognizer["preprocessing_version"],
    }


def csv_rows(record: Record) -> list[Record]:
    """The rows of a CSV for one picture: one per face with every number in a column, or one that tells why none."""
    return [_csv_row(record, face) for face in record["faces"]] or [_csv_row(record, None)]


def table_rows(record: Record) -> list[Record]:
    """The rows of a table for one picture: the same, put so that people can read it."""
    return [_table_row(record, face) for face in record["faces"]] or [_table_row(record, None)]


def _csv_row(record: Record, face: Record | None) -> Record:
    face = face or {}
    row = {"source": record["source"], "face": face.get("index")}
    row |= dict(zip(_BBOX, face.get("bbox") or [None] * 4, strict=True))
    row |= {"score": face.get("score"), "detected": record["detected"]}
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
    for name, parts in _measures(face):
        row |= {measure_column(name, part): value for part, value in parts.items()}
    return row


def _label_columns(attribute: str, labels: Sequence[str], several: bool) -> list[str]:
    """With several attributes, whose labels may be the same, each column says whose it is."""
    return [f"{attribute} {label}" if several else label for label in labels]


def _table_row(record: Record, face: Record | None) -> Record:
    face = face or {}
    bbox = face.get("bbox")
    row = {"source": record["source"], "face": face.get("index"), "bbox": bbox and " ".join(f"{v:.0f}" for v in bbox)}
    row |= {"score": face.get("score")} | ({} if record["detected"] else {"detected": False})
    answers = _answers(face)
    for name, answer in answers:
        likeliest = sorted(answer.get("probabilities", {}).items(), key=lambda pair: -pair[1])
        listed = ", ".join(f"{label} {value:.1%}" for label, value in likeliest)
        column = f"{name} probabilities" if len(answers) > 1 else "probabilities"
        row |= {name: answer.get("label", answer.get("value"))} | ({column: listed} if listed else {})
    for name, parts in _measures(face):
        row[name] = ", ".join(f"{part} {value:.3g}" for part, value in parts.items() if value is not None)
    if "embedding" in face:
        row["embedding"] = (
            f"{len(face['embedding'])} values: {', '.join(f'{v:.3f}' for v in face['embedding'][:3])}, ..."
        )
    return row | ({"error": record["error"]["message"]} if record["error"] else {})


def _answers(face: Record) -> list[tuple[str, Record]]:
    return [(name, answer) for name, answer in face.items() if isinstance(answer, dict) and name not in MEASURES]


def _measures(face: Record) -> list[tuple[str, Record]]:
    return [(name, face[name]) for name in MEASURES if name in face]
