"""Faces in the fields of deepface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from facecli.output import records
from facecli.output.records import Record
from facecli.pipeline.results import ImageResult

GENDERS = {"woman": "Woman", "man": "Man"}


def demography(result: ImageResult, row: int, actions: Sequence[str]) -> Record:
    """Return what is told of one face; shares are in percent, as deepface has them."""
    record = records.face(result, row)
    told: Record = {}
    for action in actions:
        if action == "age":
            told["age"] = round(record["age"]["value"])
            continue
        shares = {GENDERS.get(name, name): round(share * 100, 4) for name, share in _shares(record[action]).items()}
        told |= {action: shares, f"dominant_{action}": max(shares, key=lambda name: shares[name])}
    return told | {"region": area(result, row), "faceconfidence": confidence(result, row)}


def _shares(record: Any) -> dict[str, float]:
    shares: dict[str, float] = record["probabilities"]
    return shares


def area(result: ImageResult, row: int) -> dict[str, Any]:
    """Return the place of a face: its corner, size and eyes. left_eye: the person's, on the right in the picture."""
    if result.detections is None:
        return {"x": 0, "y": 0, "w": result.width, "h": result.height, "left_eye": None, "right_eye": None}
    left, top, right, bottom = (round(float(value)) for value in result.detections.bboxes[row])
    eyes: list[list[int] | None] = [None, None]
    if result.detections.landmarks is not None:
        eyes = [[round(float(value)) for value in point] for point in result.detections.landmarks[row][:2]]
    return {"x": left, "y": top, "w": right - left, "h": bottom - top, "left_eye": eyes[1], "right_eye": eyes[0]}


def confidence(result: ImageResult, row: int) -> float:
    """Return the detector's score of a face; 0 where none was found, as deepface tells it."""
    return 0.0 if result.detections is None else round(float(result.detections.scores[row]), 4)
