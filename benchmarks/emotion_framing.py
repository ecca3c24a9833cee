"""Whether facecli's own cut of a face scores as the picture that was cut for FER2013, and which margin fits best.

Each picture of PublicTest is put into a larger one whose border continues it in the mirror, as a photograph around the
face; mtcnn finds the face, the host cuts it as the catalogue says, and the answer for that cut is compared with the
answer for the picture itself. A face that is not found counts in neither.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import common
import cv2
import numpy as np
from emotion import OURS

from facecli import align
from facecli.models.store import ModelStore
from facecli.models.training import fer2013, measure
from facecli.registry import Registry
from facecli.toolbox import Choice, Toolbox
from facecli.types import Detections, Image, UInt8Array

SCALE = 4  # FER2013's 48 px as a face of 192 px
BORDER = 96
FARTHEST = 60  # px: a box whose middle is farther from the picture's is another find


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--data", type=Path, default=common.SHARED / "data" / "fer2013.npz")
    options.add_argument("--step", type=int, default=4, help="take every so manyth picture")
    given = options.parse_args()
    faces = fer2013.read(given.data)["PublicTest"]
    faces = faces.only(np.arange(len(faces)) % given.step == 0)
    registry = Registry(third_party=False)
    tools = Toolbox(Choice("mtcnn", None, (OURS,)), registry, ModelStore(), device="cpu", threads=1)
    (plugin,), (classifier,) = tools.attribute_plugins, tools.classifiers
    pictures = [photograph(picture) for picture in faces.pixels]
    found = [middle(tools.detector.detect([picture])[0]) for picture in pictures]
    rows = np.array([own is not None for own in found])
    own = np.concatenate([align.whole(grey(picture), plugin.crop) for picture in faces.pixels[rows]])
    label = faces.label[rows]
    lines = [common.figure("faces found", rows.mean(), "{:.1%}")]
    right = measure.accuracy(classifier.classify(own), label)
    lines.append(common.figure("FER2013's own cut: accuracy", right, "{:.1%}"))
    for margin in (-0.1, -0.05, 0.0, 0.05, 0.1, 0.15):
        spec = replace(plugin.crop, margin=margin)
        cuts = [align.cut(p, d, spec) for p, d in zip(pictures, found, strict=True) if d is not None]
        right = measure.accuracy(classifier.classify(np.concatenate(cuts)), label)
        mark = ", the catalogue's" if margin == plugin.crop.margin else ""
        lines.append(common.figure(f"facecli's cut, margin {margin}{mark}: accuracy", right, "{:.1%}"))
    common.tell(lines, as_json=given.json)


def grey(picture: UInt8Array) -> Image:
    return Image(np.repeat(picture[..., None], 3, axis=2), "picture")


def photograph(picture: UInt8Array) -> Image:
    """The picture enlarged, with a mirrored border."""
    large = cv2.resize(picture, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REFLECT)
    return grey(np.asarray(framed, np.uint8))


def middle(detections: Detections) -> Detections | None:
    """The face in the middle alone; None if there is none."""
    if not len(detections):
        return None
    centre = BORDER + 48 * SCALE / 2
    far = np.abs((detections.bboxes[:, :2] + detections.bboxes[:, 2:]) / 2 - centre).max(1)
    best = int(far.argmin())
    one = slice(best, best + 1)
    landmarks = None if detections.landmarks is None else detections.landmarks[one]
    return Detections(detections.bboxes[one], detections.scores[one], landmarks) if far[best] < FARTHEST else None


if __name__ == "__main__":
    main()
