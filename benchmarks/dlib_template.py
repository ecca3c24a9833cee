"""Where MTCNN's five points lie in the crops that dlib's network was made for: the template of dlib-resnet.

dlib aligns faces by landmarks of its own: shape_predictor_5 gives two corners of either eye and the base of the nose,
which are moved onto a mean face. Here each face is found by both; dlib's transform takes MTCNN's points into dlib's
crop, and their mean over all faces is the template. It is made on one half of the people and tried on the other.
Needs dlib and face_recognition_models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import common
import numpy as np
import peers
from numpy.typing import NDArray
from operating_points import all_comparisons, at

from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.faces.choice import choose
from facecli.geometry import similarity_transform
from facecli.pictures import codec
from facecli.types import Detections, Image, Limits

# get_face_chip_details in dlib's image_transforms/interpolation.h; its crops of 150 px have a padding of 0.25.
MEAN_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
SIZE, PADDING = 150, 0.25
FIRST_TRIED = ((47.55, 46.6), (100.48, 46.6), (74.0, 76.56), (50.4, 103.0), (97.6, 103.0))
Face = tuple[Image, Detections]


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--pictures", type=Path, default=common.SHARED / "data" / "lfw_dev.zip", help="folder or zip")
    given = options.parse_args()
    tools = common.toolbox("mtcnn", "dlib-resnet", 1)
    with common.folder(given.pictures) as root:
        paths = sorted(root.rglob("*.jpg"))
        faces = [_face(tools.detector, path) for path in paths]
    people = np.array([path.stem.rpartition("_")[0] for path in paths])
    points = _points_in_dlibs_crops(faces)
    print("template, mean of", int(np.isfinite(points[:, 0, 0]).sum()), "faces:", _template(points))
    order = np.unique(people)
    first = np.isin(people, order[: len(order) // 2])
    for name, made_on, tried_on in (("first", first, ~first), ("second", ~first, first)):
        template = _template(points[made_on])
        print(f"made on the {name} half of the people: {template}; tried on the other half:")
        chosen = [face for face, wanted in zip(faces, tried_on, strict=True) if wanted]
        for label, tried in (("first tried", FIRST_TRIED), ("mean", template)):
            crops = [cutting.cut(*face, CropSpec(SIZE, SIZE, tried)) for face in chosen]  # type: ignore[arg-type]
            rows = np.concatenate([tools.recognizer.embed(crop) for crop in crops])
            mated, non_mated = all_comparisons(rows, people[tried_on], "euclidean")
            spread = np.sqrt((mated.var() + non_mated.var()) / 2)
            rates = ", ".join(f"FNMR {(mated > at(non_mated, r)).mean():.4f} at FMR {r:g}" for r in (1e-2, 1e-3))
            print(f"  {label:12} {rates}, d' {(non_mated.mean() - mated.mean()) / spread:.3f}")


def _face(detector: Any, path: Path) -> Face:
    picture = codec.decode(path.read_bytes(), path.name, Limits())
    found: Detections = detector.detect([picture])[0]
    return picture, found.select(choose(found, "center", picture.width, picture.height, picture.source))


def _points_in_dlibs_crops(faces: list[Face]) -> NDArray[np.float64]:
    """(N, 5, 2); NaN for a face that dlib's detector does not find near MTCNN's."""
    import dlib

    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(peers.dlib_models() / "shape_predictor_5_face_landmarks.dat"))
    target = (SIZE * (PADDING + MEAN_FACE) / (1 + 2 * PADDING)).astype(np.float32)
    points = np.full((len(faces), 5, 2), np.nan)
    for index, (picture, found) in enumerate(faces):
        assert found.landmarks is not None
        x1, y1, x2, y2 = found.bboxes[0]
        for box in detector(picture.pixels, 0):
            if abs(box.center().x - (x1 + x2) / 2) + abs(box.center().y - (y1 + y2) / 2) < (x2 - x1) / 3:
                parts = predictor(picture.pixels, box).parts()
                matrix = similarity_transform(np.array([[p.x, p.y] for p in parts], np.float32), target)
                points[index] = found.landmarks[0] @ matrix[:, :2].T + matrix[:, 2]
                break
    return points


def _template(points: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 2), round(float(y), 2)) for x, y in np.nanmean(points, 0))


if __name__ == "__main__":
    main()
