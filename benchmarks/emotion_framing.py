"""Whether facecli's own cut of a face fits FER2013's framing, and scores as the picture that was cut for FER2013.

Each picture is put into a larger one whose border continues it in the mirror, as a photograph around the face; a
detector finds the face, the host cuts it as the catalogue says, and the answer for that cut is compared with the answer
for the picture itself. A face that is not found counts in neither. Margins are compared on the pictures that the
training held out; PublicTest is only asked about the catalogue's. Where eyes and mouth lie is told of FER2013's own
frames and of facecli's cuts of ordinary photographs (LFW). `--picture FILE` draws, from the left: the mean of FER2013's
frames, the mean of facecli's cuts of LFW, and the cuts of the sample portraits; circles are where FER2013 has the five
points (median), dots where the cut has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import common
import cv2
import numpy as np
from emotion import OURS
from numpy.typing import NDArray

from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.models.store import ModelStore
from facecli.models.training import emotion, fer2013, measure
from facecli.models.training import recipe as recipes
from facecli.pictures import codec
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
    options.add_argument("--step", type=int, default=4, help="take every so manyth picture of PublicTest and LFW")
    options.add_argument("--detectors", default="mtcnn", help="the first is the one whose margins are told")
    options.add_argument("--picture", type=Path, help="PNG file to write")
    given = options.parse_args()
    every = fer2013.read(given.data)
    public = every["PublicTest"].only(np.arange(len(every["PublicTest"])) % given.step == 0)
    recipe = recipes.read(emotion.RECIPE)
    _, held = emotion.split(every, recipe.holdout)
    tools = {name: toolbox(name) for name in given.detectors.split(",")}
    first, *_ = tools.values()
    (plugin,) = first.attribute_plugins
    with common.folder(given.photographs) as folder:
        paths = sorted(folder.rglob("*.jpg"))[:: given.step]
        photographs = [codec.decode(path.read_bytes(), path.name, Limits()) for path in paths]
    seen = [(picture, middle(first, picture, np.array(picture.pixels.shape[1::-1]) / 2)) for picture in photographs]
    cut = [(picture, face) for picture, face in seen if face is not None]
    ours = np.stack([points_in_cut(face, plugin.crop) for _, face in cut])
    shown = Shown.of(first, public)
    lines = [*placed("FER2013's frames", shown.points()), *placed("facecli's cuts of LFW", ours)]
    lines += margins(first, Shown.of(first, held))
    for name, own in tools.items():
        lines += compared(name, own, shown if own is first else Shown.of(own, public))
    common.tell(lines, as_json=given.json)
    if given.picture:
        median = np.median(shown.points(), 0)
        mean = mean_of([cutting.cut(picture, face, plugin.crop)[0] for picture, face in cut])
        panels = [(mean_of([grey(picture).pixels for picture in public.pixels]), median), (mean, np.median(ours, 0))]
        draw(given.picture, [*panels, *portraits(first, plugin.crop)], median)


def toolbox(detector: str) -> Toolbox:
    """Our emotion model behind a detector, on one thread."""
    choice = Choice(detector, None, (OURS,))
    return Toolbox(choice, Loader(Registry(third_party=False), ModelStore(), device="cpu", threads=1))


@dataclass(frozen=True)
class Shown:
    """FER2013 pictures whose face was found in a larger one; total: among how many."""

    faces: fer2013.Faces
    found: list[tuple[Image, Detections]]
    total: int

    @classmethod
    def of(cls, tools: Toolbox, faces: fer2013.Faces) -> Shown:
        """Look for the face of each picture."""
        pictures = [photograph(picture) for picture in faces.pixels]
        faced = [(picture, middle(tools, picture, np.full(2, BORDER + 24.0 * SCALE))) for picture in pictures]
        rows = np.array([face is not None for _, face in faced])
        return cls(faces.only(rows), [(picture, face) for picture, face in faced if face is not None], len(faces))

    def points(self) -> FloatArray:
        """(N, 5, 2) where the points lie, in sides of FER2013's frame; of the faces whose detector tells points."""
        found = [face.landmarks[0] for _, face in self.found if face.landmarks is not None]
        return np.asarray((np.stack(found) - BORDER) / (48 * SCALE), np.float32)

    def right(self, tools: Toolbox, spec: CropSpec) -> NDArray[np.bool_]:
        """(N,) whether the answer for facecli's cut is FER2013's label."""
        cuts = np.concatenate([cutting.cut(picture, face, spec) for picture, face in self.found])
        return np.asarray(tools.classifiers[0].classify(cuts).argmax(1) == self.faces.label)

    def right_uncut(self, tools: Toolbox, spec: CropSpec) -> NDArray[np.bool_]:
        """As `right`, for FER2013's own picture."""
        own = np.concatenate([cutting.whole(grey(picture), spec) for picture in self.faces.pixels])
        return np.asarray(tools.classifiers[0].classify(own).argmax(1) == self.faces.label)


def margins(tools: Toolbox, held: Shown) -> Iterable[common.Figure]:
    """The accuracy on FER2013's labels with several margins, on pictures that the training held out."""
    (plugin,) = tools.attribute_plugins
    own, ours = held.right_uncut(tools, plugin.crop), held.right(tools, plugin.crop)
    yield common.figure(f"held out, FER2013's own cut, {len(held.faces)} pictures: accuracy", own.mean(), "{:.1%}")
    for margin in MARGINS:
        cut = held.right(tools, replace(plugin.crop, margin=margin))
        _, low, high = measure.paired_difference(cut, ours)
        mark = "the catalogue's" if margin == plugin.crop.margin else f"{low:+.1%} to {high:+.1%} from the catalogue's"
        yield common.figure(f"held out, margin {margin}, {mark}: accuracy", cut.mean(), "{:.1%}")


def compared(detector: str, tools: Toolbox, shown: Shown) -> Iterable[common.Figure]:
    """FER2013's own cut beside the catalogue's, on the same pictures of PublicTest."""
    (plugin,) = tools.attribute_plugins
    own, ours = shown.right_uncut(tools, plugin.crop), shown.right(tools, plugin.crop)
    yield common.figure(f"PublicTest, {detector}: faces found", len(shown.faces) / shown.total, "{:.1%}")
    told = f"PublicTest, {detector}, {len(shown.faces)} pictures"
    yield common.figure(f"{told}: accuracy of FER2013's own cut", own.mean(), "{:.1%}")
    yield common.figure(f"{told}: accuracy of facecli's", ours.mean(), "{:.1%}")
    more, low, high = measure.paired_difference(ours, own)
    yield common.figure(f"{told}: facecli's less FER2013's, 95 % interval {low:+.1%} to {high:+.1%}", more, "{:+.1%}")


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


def mean_of(pictures: Sequence[UInt8Array]) -> UInt8Array:
    """The mean of pictures (H, W, 3) of one size, each brought to the same mean and spread of grey."""
    total = np.zeros(pictures[0].shape[:2])
    for picture in pictures:
        values = picture.mean(2)
        total += (values - values.mean()) / (values.std() + 1)
    total /= np.abs(total).max()
    return np.asarray(np.repeat((total * 110 + 128)[..., None], 3, 2), np.uint8)


def portraits(tools: Toolbox, spec: CropSpec) -> Iterable[tuple[UInt8Array, FloatArray]]:
    """The cuts of the sample portraits, and where their points lie."""
    for portrait in sorted(EXAMPLES.glob("*.jpg")):
        picture = codec.decode(portrait.read_bytes(), portrait.name, Limits())
        (face,) = tools.detector.detect([picture])
        yield cutting.cut(picture, face, spec)[0], points_in_cut(face, spec)


def draw(path: Path, cuts: Sequence[tuple[UInt8Array, FloatArray]], median: FloatArray) -> None:
    """Cuts beside each other, large, with FER2013's points and their own."""
    cv2.imwrite(str(path), np.hstack([panel(cut, median, points) for cut, points in cuts]))


def panel(cut: UInt8Array, circles: FloatArray, dots: FloatArray) -> UInt8Array:
    """A cut (H, W, 3) RGB enlarged in grey, with circles and dots at points in sides of it; BGR."""
    large = cv2.resize(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), (SHOWN, SHOWN), interpolation=cv2.INTER_CUBIC)
    drawn = cv2.cvtColor(large, cv2.COLOR_GRAY2BGR)
    for (x, y), (u, v) in zip(circles * SHOWN, dots * SHOWN, strict=True):
        cv2.circle(drawn, (round(x), round(y)), 9, (80, 220, 80), 2, cv2.LINE_AA)
        cv2.circle(drawn, (round(u), round(v)), 3, (60, 220, 255), cv2.FILLED, cv2.LINE_AA)
    return np.asarray(drawn, np.uint8)


def grey(picture: UInt8Array) -> Image:
    return Image(np.repeat(picture[..., None], 3, axis=2), "picture")


def photograph(picture: UInt8Array) -> Image:
    """The picture enlarged, with a mirrored border."""
    large = cv2.resize(picture, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REFLECT)
    return grey(np.asarray(framed, np.uint8))


def middle(tools: Toolbox, picture: Image, centre: NDArray[np.float64]) -> Detections | None:
    """The face around the point (x, y) alone; None if there is none."""
    (detections,) = tools.detector.detect([picture])
    if not len(detections):
        return None
    far = np.abs((detections.bboxes[:, :2] + detections.bboxes[:, 2:]) / 2 - centre).max(1)
    best = int(far.argmin())
    one = slice(best, best + 1)
    points = None if detections.landmarks is None else detections.landmarks[one]
    found = Detections(detections.bboxes[one], detections.scores[one], points)
    return found if far[best] < FARTHEST else None


if __name__ == "__main__":
    main()
