"""Whether facecli's own cut of a face fits FER2013's framing, and scores as the picture that was cut for FER2013.

Each picture of PublicTest is put into a larger one whose border continues it in the mirror, as a photograph around the
face; mtcnn finds the face, the host cuts it as the catalogue says, and the answer for that cut is compared with the
answer for the picture itself. A face that is not found counts in neither. Where eyes and mouth lie is told of FER2013's
own frames and of facecli's cuts of ordinary photographs (LFW). `--picture FILE` draws the cuts of the sample portraits:
circles where FER2013 has the five points (median), dots where the portrait has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import common
import cv2
import numpy as np
from emotion import OURS
from numpy.typing import NDArray

from facecli import align, images
from facecli.contract import CropSpec
from facecli.models.store import ModelStore
from facecli.models.training import fer2013, measure
from facecli.registry import Registry
from facecli.toolbox import Choice, Toolbox
from facecli.types import Detections, FloatArray, Image, Limits, UInt8Array

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
MARGINS = (-0.1, -0.05, 0.0, 0.05, 0.1, 0.15)
SHOWN = 240  # px: the side of a crop in the drawing
SCALE = 4  # FER2013's 48 px as a face of 192 px
BORDER = 96
FARTHEST = 60  # px: a box whose middle is farther from the picture's is another find


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--data", type=Path, default=common.SHARED / "data" / "fer2013.npz")
    options.add_argument("--photographs", type=Path, default=common.SHARED / "data" / "lfw_dev.zip")
    options.add_argument("--step", type=int, default=4, help="take every so manyth picture")
    options.add_argument("--picture", type=Path, help="PNG file to write")
    given = options.parse_args()
    faces = fer2013.read(given.data)["PublicTest"]
    faces = faces.only(np.arange(len(faces)) % given.step == 0)
    tools = Toolbox(Choice("mtcnn", None, (OURS,)), Registry(third_party=False), ModelStore(), device="cpu", threads=1)
    (plugin,) = tools.attribute_plugins
    pictures = [photograph(picture) for picture in faces.pixels]
    found = [middle(tools, picture, BORDER + 24 * SCALE) for picture in pictures]
    rows = np.array([own is not None for own in found])
    theirs = np.stack([(own.landmarks[0] - BORDER) / (48 * SCALE) for own in found if own is not None])
    with common.folder(given.photographs) as folder:
        paths = sorted(folder.rglob("*.jpg"))[:: given.step]
        photographs = [images.decode(path.read_bytes(), path.name, Limits()) for path in paths]
    seen = [middle(tools, picture, min(picture.pixels.shape[:2]) / 2) for picture in photographs]
    ours = np.stack([points_in_cut(face, plugin.crop) for face in seen if face is not None])
    lines = [common.figure("faces found", rows.mean(), "{:.1%}")]
    lines += [*placed("FER2013's frames", theirs), *placed("facecli's cuts of LFW", ours)]
    lines += accuracies(
        tools, faces.only(rows), [(p, d) for p, d in zip(pictures, found, strict=True) if d is not None]
    )
    common.tell(lines, as_json=given.json)
    if given.picture:
        draw(given.picture, tools, plugin.crop, np.median(theirs, 0))


def accuracies(
    tools: Toolbox, faces: fer2013.Faces, found: Sequence[tuple[Image, Detections]]
) -> Iterable[common.Figure]:
    """The accuracy on FER2013's labels of its own cut, and of facecli's with several margins."""
    (plugin,), (classifier,) = tools.attribute_plugins, tools.classifiers
    own = np.concatenate([align.whole(grey(picture), plugin.crop) for picture in faces.pixels])
    right = measure.accuracy(classifier.classify(own), faces.label)
    yield common.figure(f"FER2013's own cut, {len(faces)} pictures: accuracy", right, "{:.1%}")
    for margin in MARGINS:
        spec = replace(plugin.crop, margin=margin)
        cuts = np.concatenate([align.cut(picture, face, spec) for picture, face in found])
        right = measure.accuracy(classifier.classify(cuts), faces.label)
        mark = ", the catalogue's" if margin == plugin.crop.margin else ""
        yield common.figure(f"facecli's cut, margin {margin}{mark}: accuracy", right, "{:.1%}")


def placed(whose: str, points: FloatArray) -> list[common.Figure]:
    """Where the face lies in its frame, in sides of the frame: medians, and how far nine in ten of them are apart."""
    eyes, mouth = points[:, :2].mean(1), points[:, 3:].mean(1)
    values = {
        "distance of the eyes": np.linalg.norm(points[:, 1] - points[:, 0], axis=1),
        "middle of the eyes, from the left": eyes[:, 0],
        "eyes, from the top": eyes[:, 1],
        "mouth, from the top": mouth[:, 1],
    }
    made = []
    for what, own in values.items():
        low, high = np.quantile(own, [0.05, 0.95])
        text = f"{whose}: {what}, median (5 % to 95 %: {low:.2f} to {high:.2f})"
        made.append(common.figure(text, float(np.median(own)), "{:.2f}"))
    return made


def points_in_cut(face: Detections, spec: CropSpec) -> FloatArray:
    """The five points of a face, in sides of facecli's cut."""
    assert face.landmarks is not None
    matrix = cut_matrix(face, spec)
    return np.asarray((face.landmarks[0] @ matrix[:, :2].T + matrix[:, 2]) / spec.width, np.float32)


def cut_matrix(face: Detections, spec: CropSpec) -> NDArray[np.float64]:
    """What takes a photograph's pixels into the cut, for a square crop with a margin, worked out here anew."""
    x1, y1, x2, y2 = (float(value) for value in face.bboxes[0])
    side = max(x2 - x1, y2 - y1) * (1 + 2 * spec.margin)
    scale = spec.width / side
    return np.array([[scale, 0, ((side - x1 - x2) / 2) * scale], [0, scale, ((side - y1 - y2) / 2) * scale]])


def draw(path: Path, tools: Toolbox, spec: CropSpec, median: FloatArray) -> None:
    """The cuts of the sample portraits, large, with FER2013's points and the portrait's own."""
    panels = []
    for portrait in sorted(EXAMPLES.glob("*.jpg")):
        picture = images.decode(portrait.read_bytes(), portrait.name, Limits())
        (face,) = tools.detector.detect([picture])
        own = points_in_cut(face, spec)
        cut = align.cut(picture, face, spec)[0]
        panel = cv2.resize(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), (SHOWN, SHOWN), interpolation=cv2.INTER_CUBIC)
        panel = cv2.cvtColor(panel, cv2.COLOR_GRAY2BGR)
        for (x, y), (u, v) in zip(median * SHOWN, own * SHOWN, strict=True):
            cv2.circle(panel, (round(x), round(y)), 9, (80, 220, 80), 2, cv2.LINE_AA)
            cv2.circle(panel, (round(u), round(v)), 3, (60, 220, 255), cv2.FILLED, cv2.LINE_AA)
        panels.append(panel)
    cv2.imwrite(str(path), np.hstack(panels))


def grey(picture: UInt8Array) -> Image:
    return Image(np.repeat(picture[..., None], 3, axis=2), "picture")


def photograph(picture: UInt8Array) -> Image:
    """The picture enlarged, with a mirrored border."""
    large = cv2.resize(picture, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REFLECT)
    return grey(np.asarray(framed, np.uint8))


def middle(tools: Toolbox, picture: Image, centre: float) -> Detections | None:
    """The face in the middle alone; None if there is none."""
    (detections,) = tools.detector.detect([picture])
    if not len(detections) or detections.landmarks is None:
        return None
    far = np.abs((detections.bboxes[:, :2] + detections.bboxes[:, 2:]) / 2 - centre).max(1)
    best = int(far.argmin())
    one = slice(best, best + 1)
    found = Detections(detections.bboxes[one], detections.scores[one], detections.landmarks[one])
    return found if far[best] < FARTHEST else None


if __name__ == "__main__":
    main()
