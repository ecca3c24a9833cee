"""What is measured of a face without a model: its pose and its quality, as numbers under a name each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

from facecli.faces import quality
from facecli.faces.pose import Pose, estimate
from facecli.types import Detections, Image

Measure = dict[str, float | None]

# Name -> what it consists of, in the order that it is told in.
MEASURES: dict[str, tuple[str, ...]] = {
    "pose": tuple(field.name for field in fields(Pose)),
    "quality": tuple(field.name for field in fields(quality.Quality)),
}
NEED_LANDMARKS = frozenset({"pose"})


def of_faces(image: Image, detections: Detections | None, names: Sequence[str]) -> list[dict[str, Measure]]:
    """The named measures of every face of a picture; a measure that can not be taken has None for its numbers.

    detections: None where the whole picture is the one face.
    """
    if detections is None or detections.landmarks is None:
        poses: list[Pose | None] = [None] * (1 if detections is None else len(detections))
    else:
        poses = estimate(detections.landmarks)
    found: dict[str, list[Measure]] = {}
    if "pose" in names:
        found["pose"] = [dict.fromkeys(MEASURES["pose"]) if pose is None else asdict(pose) for pose in poses]
    if "quality" in names:
        found["quality"] = [asdict(own) for own in quality.measure(image, detections, poses)]
    return [{name: found[name][row] for name in names} for row in range(len(poses))]
