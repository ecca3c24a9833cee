"""Where the five points usually lie in a detector's boxes, and what recognizers lose when only that is known of faces.

yunet finds the points of lfw_dev's faces, and the detector its boxes: the medians are `facecli.crops`' USUAL_POINTS.
Then the pairs of lfw_dev are compared three times, at the threshold of the catalogue: with yunet's points, with the
usual ones in the detector's boxes, and with the usual ones in yunet's boxes, as another detector without points might
give them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import common
import numpy as np

from facecli.crops.cutting import cut
from facecli.evaluation import labelled, pairs
from facecli.faces.choice import choose
from facecli.pictures import codec
from facecli.types import Detections, FloatArray, Image, Limits

Faces = Mapping[str, Detections]


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--pictures", default=str(common.SHARED / "data" / "lfw_dev.zip"), help="with pairs.csv")
    options.add_argument("--detector", default="haar")
    options.add_argument("--recognizer", action="append", help="default: sface and dlib-resnet")
    options.add_argument("--every", type=int, default=1, help="of so many pairs one")
    given = options.parse_args()
    figures: list[common.Figure] = []
    with common.folder(Path(given.pictures)) as root:
        listed = next(root.rglob("pairs.csv"))
        with listed.open(encoding="utf-8") as lines:
            some = pairs.read(lines, listed.name)[:: given.every]
        names = pairs.pictures_of(some)
        images = {name: codec.decode((listed.parent / name).read_bytes(), name, Limits()) for name in names}
    yunet, other = (_found(images, detector) for detector in ("yunet", given.detector))
    both = [name for name in names if name in yunet and name in other]
    figures.append(common.figure(f"pictures with a face, of {len(names)}", len(both), "{:.0f}"))
    for axis, place in (("x", 0), ("y", 1)):
        medians = np.median([_relative(yunet[name], other[name]) for name in both], 0)[:, place]
        figures.append(
            common.Figure(f"{axis} of the points", float(medians[0]), " ".join(f"{at:.3f}" for at in medians))
        )
    boxed = {name: Detections(face.bboxes, face.scores) for name, face in yunet.items()}
    for recognizer in given.recognizer or ["sface", "dlib-resnet"]:
        for what, faces in (("yunet's points", yunet), (f"{given.detector}'s boxes", other), ("yunet's boxes", boxed)):
            figures += _rates(recognizer, what, some, images, faces)
    common.tell(figures, as_json=given.json)


def _found(images: Mapping[str, Image], detector: str) -> dict[str, Detections]:
    """The face in the middle of each picture that has one."""
    tools = common.toolbox(detector, None, 1)
    found = {}
    for name, image in images.items():
        (faces,) = tools.detector.detect([image])
        if len(faces):
            found[name] = faces.select(choose(faces, "center", image.width, image.height, name))
    return found


def _relative(points: Detections, boxes: Detections) -> FloatArray:
    """Points (5, 2) as parts of a box."""
    assert points.landmarks is not None
    box = boxes.bboxes[0]
    relative: FloatArray = (points.landmarks[0] - box[:2]) / (box[2:] - box[:2])
    return relative


def _rates(
    recognizer: str, what: str, some: Sequence[pairs.Pair], images: Mapping[str, Image], faces: Faces
) -> list[common.Figure]:
    tools = common.toolbox(None, recognizer, 1)
    plugin = tools.recognizer_plugin
    assert plugin is not None
    crops = ((name, cut(images[name], face, plugin.crop)) for name, face in faces.items())
    embeddings = {name: tools.recognizer.embed(own) for name, own in crops}
    point = plugin.operating_point
    distances, same = labelled.compare(some, embeddings, point.metric)
    within, there = distances <= point.threshold, ~np.isnan(distances)
    return [
        common.figure(f"{recognizer}, {what}: FNMR of {(same & there).sum()}", 1 - within[same & there].mean()),
        common.figure(f"{recognizer}, {what}: FMR of {(~same & there).sum()}", within[~same & there].mean()),
    ]


if __name__ == "__main__":
    main()
