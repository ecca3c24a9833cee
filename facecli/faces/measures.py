"""Measures of a face that need no model: its pose and its quality, each a group of named numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

from facecli.faces import quality
from facecli.faces.pose import Pose, estimate
from facecli.types import Detections, Image

Measure = dict[str, float | None]

# Name -> the names of its numbers, in the order of documents and tables.
MEASURES: dict[str, tuple[str, ...]] = {
    "pose": tuple(field.name for field in fields(Pose)),
    "quality": tuple(field.name for field in fields(quality.Quality)),
}
NEED_LANDMARKS = frozenset({"pose"})


def of_faces(image: Image, detections: Detections | None, names: Sequence[str]) -> list[dict[str, Measure]]:
    """Return the measures of every face of a picture, by name; numbers that can not be measured are None.

    detections: None if the whole picture is the one face. names: of MEASURES.
    """
    if detections is None or detections.landmarks is None:
        poses: list[Pose | None] = [None] * (1 if detections is None else len(detections))
    else:
        poses = estimate(detections.landmarks)
    by_name: dict[str, list[Measure]] = {}
    if "pose" in names:
        by_name["pose"] = [dict.fromkeys(MEASURES["pose"]) if pose is None else asdict(pose) for pose in poses]
    if "quality" in names:
        by_name["quality"] = [asdict(one) for one in quality.measure(image, detections, poses)]
    return [{name: by_name[name][row] for name in names} for row in range(len(poses))]
