"""Faces in the fields of CompreFace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from facecli.output import records
from facecli.output.records import Record
from facecli.pipeline.results import ImageResult
from facecli.server.compat.options import Options

GENDERS = {"woman": "female", "man": "male"}


def shown(result: ImageResult, row: int, options: Options) -> Record:
    """Return one face: its box, and what the plugins of the options tell of it."""
    record = records.face(result, row)
    left, top, right, bottom = (round(value) for value in record["bbox"])
    face: Record = {}
    for slug in options.plugins:
        face |= _plugin(slug, record, result, row)
    face["box"] = {
        "probability": record["score"],
        "x_max": right,
        "y_max": bottom,
        "x_min": left,
        "y_min": top,
    }
    return face


def largest_first(result: ImageResult) -> list[int]:
    """Return the rows of a picture's faces, the largest first."""
    if result.detections is None:
        return list(range(len(result.indices)))
    boxes = result.detections.bboxes
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return [int(row) for row in np.argsort(-areas, kind="stable")]


def _plugin(slug: str, record: Record, result: ImageResult, row: int) -> Record:
    """Return what one face plugin tells of a face; null where it is not known."""
    if slug == "landmarks":
        points: Sequence[Sequence[float]] = record["landmarks"] or ()
        return {"landmarks": [[round(x), round(y)] for x, y in points]}
    if slug == "calculator":
        return {"embedding": [] if result.embeddings is None else records.embedding(result.embeddings[row])}
    told: Any = record[slug]
    if slug == "age":
        return {"age": {"probability": None, "high": round(told["high"]), "low": round(told["low"])}}
    label = told["label"]
    return {"gender": {"probability": told["probabilities"][label], "value": GENDERS.get(label, label)}}
