"""Results as plain records, the same for JSON, tables and CSV; the JSON Schemas in docs/ describe them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facecli import __version__
from facecli.contract.plugin import Plugin
from facecli.errors import FacecliError
from facecli.hosting.toolbox import Toolbox
from facecli.pipeline.results import ImageResult
from facecli.types import Detections, FloatArray

Record = dict[str, Any]

PIXEL_DIGITS, SCORE_DIGITS = 2, 4


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


def identity(recognizer: Record) -> Record:
    """What an embedding must carry in a row of its own: the model, its sha256 and its preprocessing's version."""
    files = [file["sha256"] for model in recognizer["models"] for file in model["files"]]
    return {
        "model": " ".join(model["id"] for model in recognizer["models"]) or recognizer["plugin"],
        "sha256": " ".join(files),
        "preprocessing_version": recognizer["preprocessing_version"],
    }
