"""Up to which angle each detector holds: faces of LFW turned about the middle of the picture, to both sides in turn.

Told for each angle, of the faces that the detector finds upright: the part that it finds where they are; the part whose
five points lie where they should, within a fifth of the distance of the eyes on average; the part that the default
recognizer takes for the same face as upright, at its threshold; and the highest score. Then the part of pictures for
which `--rotate auto` chooses the right one of the four turns; as it looks at all four, that is the same however a
picture came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import common
import cv2
import numpy as np
from detectors import DETECTORS, read

from facecli import Face, Faces
from facecli.matching.metrics import distance
from facecli.types import FloatArray, UInt8Array

ANGLES = (15, 30, 45, 60, 75, 90, 135, 180)  # degrees
NEAR = 0.25  # of a box's longer side: how far from its place a face's middle may be
RIGHT = 0.2  # of the distance of the eyes: how far from their places the points may be, on average


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--only", choices=list(DETECTORS), nargs="*", help="these detectors")
    options.add_argument("--photographs", type=Path, default=common.SHARED / "data" / "lfw_dev.zip")
    options.add_argument("--pictures", type=int, default=60)
    given = options.parse_args()
    cv2.setNumThreads(1)
    with common.folder(given.photographs) as folder:
        paths = sorted(folder.rglob("*.jpg"))
        pictures = [read(path).pixels for path in paths[:: max(1, len(paths) // given.pictures)][: given.pictures]]
    figures: list[common.Figure] = []
    for name in given.only or DETECTORS:
        figures += [*by_angle(name, pictures), right_turns(name, pictures)]
    common.tell(figures, as_json=given.json)


def opened(name: str, **settings: str) -> Faces:
    """The door with a detector of the list."""
    plugin, parameters = DETECTORS[name]
    return Faces(detector=plugin, parameters={plugin: parameters}, threads=1, **settings)  # type: ignore[arg-type]


def by_angle(name: str, pictures: Sequence[UInt8Array]) -> Iterable[common.Figure]:
    """The figures of one detector at each angle."""
    with opened(name) as faces:
        upright = [middle(faces, picture, np.array(picture.shape[1::-1]) / 2) for picture in pictures]
        known = [(picture, face) for picture, face in zip(pictures, upright, strict=True) if face is not None]
        yield common.figure(f"{name}: found upright, of {len(pictures)}", len(known), "{:.0f}")
        yield common.figure(f"{name}, upright: lowest score", min(face.score or 0 for _, face in known), "{:.3f}")
        for angle in ANGLES:
            sides = [angle if index % 2 else -angle for index in range(len(known))]
            judged = np.array([judge(faces, *pair, side) for pair, side in zip(known, sides, strict=True)])
            for what, part in zip(("found", "points right", "same face"), (judged[:, :3] > 0).mean(0), strict=True):
                yield common.figure(f"{name}, {angle} degrees: {what}", part, "{:.0%}")
            yield common.figure(f"{name}, {angle} degrees: highest score", judged[:, 3].max(), "{:.3f}")


def judge(faces: Faces, picture: UInt8Array, face: Face, angle: float) -> tuple[float, float, float, float]:
    """Whether a turned face is found, its points are right, and it is the same as upright: 1 or 0; and its score."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), angle, 1)
    turned = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    assert face.bbox is not None
    place = moved(face.bbox.reshape(2, 2).mean(0, keepdims=True), turn)[0]
    found = middle(faces, np.asarray(turned, np.uint8), place)
    if found is None:
        return 0, 0, 0, 0
    return 1, points_right(found, face, turn), same(faces, found, face), found.score or 0


def points_right(found: Face, face: Face, turn: FloatArray) -> bool:
    """Whether the points of a face lie where those of the upright one went; False without points."""
    if found.landmarks is None or face.landmarks is None:
        return False
    away = np.linalg.norm(found.landmarks - moved(face.landmarks, turn), axis=1).mean()
    return bool(away < RIGHT * np.linalg.norm(face.landmarks[0] - face.landmarks[1]))


def same(faces: Faces, found: Face, face: Face) -> bool:
    """Whether the recognizer takes two faces for one, at its own threshold; False where it embedded none."""
    if found.embedding is None or face.embedding is None:
        return False
    plugin = faces.engine.tools(faces.engine.request(embed=True)).recognizer_plugin
    assert plugin is not None
    point = plugin.operating_point
    return bool(distance(found.embedding[None], face.embedding[None], point.metric)[0] <= point.threshold)


def middle(faces: Faces, picture: UInt8Array, place: FloatArray) -> Face | None:
    """The face that is nearest to a place, if it is near."""
    (answer,) = faces.run([picture], embed=faces.engine.selection.detector != "haar")  # haar has no points to align by
    away = [np.linalg.norm(box.reshape(2, 2).mean(0) - place) for box in boxes(answer.faces)]
    if not away:
        return None
    face = answer.faces[int(np.argmin(away))]
    (box,) = boxes([face])
    return face if min(away) < NEAR * max(box[2:] - box[:2]) else None


def boxes(faces: Sequence[Face]) -> list[FloatArray]:
    """The boxes of faces that were detected."""
    return [face.bbox for face in faces if face.bbox is not None]


def moved(points: FloatArray, turn: FloatArray) -> FloatArray:
    """(N, 2) points after a turn. turn: (2, 3), of OpenCV."""
    return np.asarray(points @ turn[:, :2].T + turn[:, 2], np.float32)


def right_turns(name: str, pictures: Sequence[UInt8Array]) -> common.Figure:
    """The part of upright pictures that `--rotate auto` leaves as they are, of those with a face in any turn."""
    with opened(name, rotate="auto") as faces:
        answers = [next(iter(faces.run([picture]))) for picture in pictures]
    chosen = [answer.result.rotated == 0 for answer in answers if answer.faces]
    return common.figure(f"{name}, --rotate auto: the right turn, of {len(chosen)}", np.mean(chosen), "{:.1%}")


if __name__ == "__main__":
    main()
