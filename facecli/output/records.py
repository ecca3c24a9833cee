"""Results as plain records, the same for JSON, tables and CSV; the JSON Schemas in docs/schemas describe them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from facecli.contract import Cohort
from facecli.contract.plugin import Plugin
from facecli.errors import FacecliError, Wording, keyword
from facecli.hosting.toolbox import Toolbox
from facecli.pipeline.estimate import estimate
from facecli.pipeline.results import AttributeRows, ImageResult
from facecli.types import Detections, FloatArray
from facecli.version import __version__

Record = dict[str, Any]

PIXEL_DIGITS, SCORE_DIGITS = 2, 4  # decimals of a coordinate in px, and of a score or probability
NUMBER_DIGITS = 2  # of a number that comes with its spread
# Versions of the schemas that are past their first: `detected` and `faces_found` have another meaning since.
_VERSIONS = dict.fromkeys(("detect", "embed", "emotion", "analyze", "verify"), 2)


def header(schema: str, **parts: Any) -> Record:
    """Return the beginning of a document: the schema's name with its version, the tool's version, then the parts."""
    return {"schema": f"facecli.{schema}/{_VERSIONS.get(schema, 1)}", "version": __version__, **parts}


def image(
    result: ImageResult, *, embeddings: bool = False, labels: Sequence[str] = (), wording: Wording = keyword
) -> Record:
    """Return one picture with its faces.

    embeddings: whether each face has its embedding. labels: see probabilities. wording: spelling of settings in an
    error.
    """
    return {
        "source": result.source,
        "width": result.width,
        "height": result.height,
        "detected": result.detected,
        "detector_ran": None if result.detected is None else result.detector_ran,
        "faces_found": result.faces_found,
        **({} if result.rotated is None else {"rotated": result.rotated}),
        "faces": [face(result, row, embeddings=embeddings, labels=labels) for row in range(len(result.indices))],
        "error": error(result.error, wording),
    }


def chosen(result: ImageResult, row: int) -> Record:
    """Return one picture of a comparison, with the one face of it that was compared."""
    record = image(result)
    faces = record.pop("faces")
    del record["error"]
    return record | {"face": faces[row]}


def face(result: ImageResult, row: int, *, embeddings: bool = False, labels: Sequence[str] = ()) -> Record:
    """Return all that a result has of one face: place, attributes, measures and, if asked for, the embedding."""
    record = _place(result.detections, row, result.indices[row])
    for answer in result.attributes:
        record[answer.attribute] = attribute(answer, answer.rows[row], labels)
    if result.measures:
        record |= {name: measure(values) for name, values in result.measures[row].items()}
    if embeddings and result.embeddings is not None:
        record["embedding"] = embedding(result.embeddings[row])
    return record


def embedding(row: FloatArray) -> list[float]:
    """Return a float32 (D,) embedding as the shortest decimals that read back as the same float32."""
    return [float(text) for text in row.astype(str)]


def attribute(answer: AttributeRows, row: FloatArray, shown: Sequence[str] | None = None) -> Record:
    """Return one face's answer: the likeliest label with the probabilities, or a number.

    row: (C,) float32, the face's row of the answer. shown: labels whose probabilities are listed, if the attribute has
    any of them; the likeliest is named all the same.
    """
    if answer.bins:
        return {name: round(value, NUMBER_DIGITS) for name, value in asdict(estimate(answer.bins, row)).items()}
    if answer.labels:
        return probabilities(answer.labels, row, shown, answer.floor)
    return {"value": round(float(row[0]), SCORE_DIGITS)}


def probabilities(
    labels: Sequence[str], row: FloatArray, shown: Sequence[str] | None = None, floor: float = 0.0
) -> Record:
    """Return the likeliest label and the probabilities. row: (C,) float32, as many as labels.

    shown: the labels whose probabilities are listed. floor: probability that the likeliest must reach; below it the
    label is None.
    """
    rounded = {label: round(float(p), SCORE_DIGITS) for label, p in zip(labels, row, strict=True)}
    listed = {label: rounded[label] for label in shown_labels(labels, shown)}
    best = int(row.argmax())
    return {"label": labels[best] if row[best] >= floor else None, "probabilities": listed}


def measure(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the numbers of one measure of a face, rounded; None stays None: it could not be measured."""
    return {name: None if value is None else round(value, SCORE_DIGITS) for name, value in values.items()}


def shown_labels(labels: Sequence[str], shown: Sequence[str] | None = None) -> list[str]:
    """Return the labels of an attribute that are in `shown`, or all labels if none of them is."""
    return [label for label in labels if shown and label in shown] or list(labels)


def error(failure: FacecliError | None, wording: Wording = keyword) -> dict[str, str | None] | None:
    """Return code, message and hint of an error, None if there is none. wording: spelling of the settings in it."""
    return None if failure is None else failure.as_dict(wording)


def described(tools: Toolbox, plugin: Plugin | None) -> Record | None:
    """Return the plugin, models and provider that really run, after they are loaded; None where a stage is left out."""
    return None if plugin is None else tools.describe(plugin)


def embedder(tools: Toolbox) -> Record:
    """Return how the recognizer runs, with the facts that a reader of its embeddings needs: dim and normalized."""
    plugin = tools.recognizer_plugin
    assert plugin is not None
    description = tools.describe(plugin)
    version = description.pop("preprocessing_version")  # stands last in the published order
    return description | {"dim": plugin.dim, "normalized": plugin.normalized, "preprocessing_version": version}


def cohort(strangers: Cohort | None) -> Record:
    """Return the part of a document that tells beside whom the metric "cohort" compared; empty for other metrics."""
    return {} if strangers is None else {"cohort": {"sha256": strangers.sha256, "top": strangers.top}}


def identity(recognizer: Record) -> Record:
    """Return what an embedding in a row of its own must carry: model id, sha256, and version of the preprocessing."""
    files = [file["sha256"] for model in recognizer["models"] for file in model["files"]]
    return {
        "model": " ".join(model["id"] for model in recognizer["models"]) or recognizer["plugin"],
        "sha256": " ".join(files),
        "preprocessing_version": recognizer["preprocessing_version"],
    }


def _place(detections: Detections | None, row: int, index: int) -> Record:
    """Return a face's index, bbox and landmarks in px, and score; all null for a picture that was taken as a crop."""
    if detections is None:
        return {"index": index, "bbox": None, "score": None, "landmarks": None}
    landmarks = None if detections.landmarks is None else detections.landmarks[row].tolist()
    return {
        "index": index,
        "bbox": [round(v, PIXEL_DIGITS) for v in detections.bboxes[row].tolist()],
        "score": round(float(detections.scores[row]), SCORE_DIGITS),
        "landmarks": landmarks and [[round(v, PIXEL_DIGITS) for v in point] for point in landmarks],
    }
