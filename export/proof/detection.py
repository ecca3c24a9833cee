"""The proof that a detector finds the same faces with exported networks as with the networks they were made from.

Small differences of a network's outputs can decide whether a box passes a threshold, so outputs alone prove little
about a detector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facecli.errors import ExportError
from facecli.export.proof.samples import PORTRAITS, Samples
from facecli.export.proof.sessions import RecordingSession, SourceSession, load_with
from facecli.geometry import overlap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facecli.contract import DetectorPlugin, ExportPart
    from facecli.export.proof.peer import PeerProof
    from facecli.export.proof.tolerances import Tolerances
    from facecli.types import Detections, Image


@dataclass(frozen=True, slots=True)
class DetectionProof:
    """The distance of a detector's faces from those that it finds with the source networks.

    detector: the plugin's name. data: the origin of the pictures, as in Samples. pictures, faces: their numbers. iou:
    the least of all boxes with the source's. landmarks: the largest shift in px; None for a detector without them.
    peer: the distance from the faces that another program finds with the source file; None if the recipe has no such
    program, and for files of lower precision.
    """

    detector: str
    data: str
    pictures: int
    faces: int
    iou: float
    landmarks: float | None
    peer: PeerProof | None = None


def recorded_inputs(
    plugin: DetectorPlugin, model: str, file: str, path: Path, pictures: Sequence[Image]
) -> list[Mapping[str, NDArray[Any]]]:
    """Return the inputs of every run that a detector makes of its one network on these pictures.

    file: the network's name in the model. path: where the file lies.
    """
    from facecli.inference.session import open_session

    session = RecordingSession(open_session(path, device="cpu"))
    detector = load_with({file: session}, plugin, model)
    for picture in pictures:
        detector.detect([picture])
    return session.feeds


def prove_detection(
    plugin: DetectorPlugin,
    model: str,
    networks: Sequence[tuple[ExportPart, Path]],
    tolerances: Tolerances,
    samples: Samples = PORTRAITS,
) -> DetectionProof:
    """Detect faces with the source networks and with their exported files, and compare.

    networks: each network of the model with its exported file. Raises ExportError if the faces differ, or if there is
    none to compare.
    """
    from facecli.inference.session import open_session

    exported = {part.file: open_session(path, device="cpu") for part, path in networks}
    sources = {part.file: SourceSession(part, exported[part.file].input_shapes) for part, _ in networks}
    pictures = samples.pictures()
    detectors = [load_with(sessions, plugin, model) for sessions in (sources, exported)]
    expected, results = ([detector.detect([one])[0] for one in pictures] for detector in detectors)
    count = sum(map(len, expected))
    if not count:
        raise ExportError(f"{plugin.name} finds no face in the {samples.data}, not even with its source networks")
    compared = [
        compare_faces(plugin.name, image.source, result, source, tolerances)
        for result, source, image in zip(results, expected, pictures, strict=True)
    ]
    shifts = [shift for _, shift in compared if shift is not None]
    iou = min(iou for iou, _ in compared)
    return DetectionProof(plugin.name, samples.data, len(pictures), count, iou, max(shifts, default=None))


def compare_faces(
    name: str, picture: str, faces: Detections, expected: Detections, tolerances: Tolerances
) -> tuple[float, float | None]:
    """Return the least IoU and the largest landmark shift in px of matching faces: 1 and None if there are no faces.

    name, picture: the detector's name and the picture's, for messages. Raises ExportError if the numbers of faces
    differ, or one of the figures is beyond its tolerance.
    """
    if len(faces) != len(expected):
        raise ExportError(f"{name} finds {len(faces)} faces in {picture}, with its source networks {len(expected)}")
    if not len(expected):
        return 1.0, None
    ious = overlap(expected.bboxes, faces.bboxes)
    partner = ious.argmax(1)
    iou = float(ious.max(1).min())
    if not (iou >= tolerances.iou and len(set(partner.tolist())) == len(partner)):
        raise ExportError(
            f"{name}: a box in {picture} has an IoU of {iou:.4g} with its source's, the least is {tolerances.iou:g}"
        )
    if faces.landmarks is None or expected.landmarks is None:
        return iou, None
    shift = float(np.linalg.norm(faces.landmarks[partner] - expected.landmarks, axis=2).max())
    if not shift <= tolerances.landmarks:
        limit = f"the tolerance is {tolerances.landmarks:g} px"
        raise ExportError(f"{name}: a landmark in {picture} is {shift:.3g} px from its source's, {limit}")
    return iou, shift
