"""How large YuNet should see a picture, whether twice, and from which score on: its candidates beside mtcnn.

Each candidate is a set of the plugin's parameters. It runs with a low score threshold over five kinds of pictures:
- `wider_dev`: average precision as `facecli evaluate-detection` counts it, also of the pictures shrunk to 320 px;
- pictures without a face: the largest part of each picture of `wider_dev` outside all its faces, made textures, and
  those of a folder of your own (`--without DIR`): false faces;
- chips of `utk_dev`, which a face fills, and the inner 70 % of them: chips without a face found, and parts of faces
  found as faces;
- pictures of 12 megapixels with one face of `lfw_dev`, a twentieth and a fortieth of their height: faces missed;
- three portraits, for time.

Time is the thread's processor time on one thread, medians in turns with mtcnn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import common
import cv2
import numpy as np
from detectors import LOW, curve_of, read

from facecli.contract import Detector
from facecli.evaluation import ground_truth
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.models.store import ModelStore
from facecli.plugins.detectors import yunet
from facecli.types import Detections, Image, UInt8Array

OWN = yunet.FAMILY.defaults.score_threshold
DEFAULT, MTCNN = "the defaults", "mtcnn"
ONE: dict[str, Any] = {"multi_scale": "never"}
CANDIDATES: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "all at 480, and 224": {"size": 480},
    "all at 640, one look": {"size": 640, **ONE},
    "all at 640, and 224": {"size": 640},
    "all at 960, one look": {"size": 960, "least_size": 960, **ONE},
    "all at 960, and 224": {"size": 960, "least_size": 960},
    "as they are up to 960, and 224": {"size": 960, "least_size": 256},
    "640 to 800, and 224": {"size": 800},
    "640 to 960, one look": ONE,
    "640 to 960, and 224, parts kept": {"inside_threshold": 1.0},
    "640 to 960, and 128": {"small_size": 128},
    "640 to 960, and 160": {"small_size": 160},
    "640 to 960, and 320": {"small_size": 320},
    "640 to 1280, and 224": {"size": 1280},
}
THRESHOLDS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
SHRUNK = 320  # px; the longer side of small pictures
MARGIN = 0.35  # of a face's sides: what lies as near is no part of a picture without faces
LEAST = 128  # px; the least side of such a part
# Two parts of wider_dev outside all faces that it names have faces all the same: printed on shirts, and a tattoo.
FACES_THERE = ("0_Parade_Parade_0_465.jpg", "13_Interview_Interview_2_People_Visible_13_409.jpg")
INNER = 0.7  # of a chip's sides
FILLS = 0.2  # of a chip's area: what a box has to take to be the face that fills it
PHONE = (3000, 4000)  # px, height and width: 12 megapixels
OF_HEIGHT = (1 / 20, 1 / 40)
FACE_OF_LFW = 0.45  # of the height of a picture of LFW: its face
BARS = {"easy": 0.05, "medium": 0.06, "hard": 0.10}
MOST_TIME = 0.35
HUGE = (7000, 14000)  # px; 98 megapixels, a little less than facecli takes by default


def main() -> None:
    options = common.parser(__doc__)
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.add_argument("--only", choices=list(CANDIDATES), nargs="*", help="these, and the defaults")
    options.add_argument("--without", type=Path, help="a folder of pictures without a face, besides those of wider_dev")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--alone", choices=("memory",), help=argparse.SUPPRESS)
    given = options.parse_args()
    cv2.setNumThreads(1)
    if given.alone:
        print(json.dumps(memory()))
        return
    names = [DEFAULT, *(given.only or [name for name in CANDIDATES if name != DEFAULT])]
    data = common.SHARED / "data"
    with (
        common.folder(data / "wider_dev.zip") as wider,
        common.folder(data / "utk_dev.zip") as utk,
        common.folder(data / "lfw_dev.zip") as lfw,
    ):
        pictures = Pictures(wider, utk, lfw, given.without)
        print(f"{len(pictures.without)} pictures without a face, {len(pictures.chips)} chips, a face of each size in")
        print(f"{len(pictures.phone)} pictures of 12 megapixels\n")
        rows = {}
        table_head()
        for name in [MTCNN, *names]:
            rows[name] = measured(name, pictures, given.rounds)
            table_row(name, rows[name])
    thresholds(rows[DEFAULT])
    common.tell(list(figures(rows)), as_json=given.json)


class Pictures:
    """What every candidate sees."""

    def __init__(self, wider: Path, utk: Path, lfw: Path, without: Path | None) -> None:
        self.truth = ground_truth.read(wider / "ground_truth.json")
        self.wider = {name: read(wider / name) for name in self.truth}
        self.shrunk = {name: resized(image, SHRUNK) for name, image in self.wider.items()}
        outside = (outside_faces(self.wider[name], self.truth[name].boxes) for name in self.truth)
        self.without = [image for image in outside if image is not None] + textures()
        if without:
            self.without += [read(path) for path in sorted(without.iterdir())]
        self.chips = [read(path) for path in sorted(utk.rglob("*.jpg"))[::20]]
        self.chips += [inner(image) for image in self.chips]
        faces = [read(path) for path in sorted(lfw.rglob("*.jpg"))[::60]]
        self.phone = list(zip(faces, self.without[: len(faces)], strict=True))
        self.portraits = [read(path) for path in sorted((Path(__file__).parents[1] / "examples").glob("*.jpg"))]


def measured(name: str, pictures: Pictures, rounds: int) -> dict[str, Any]:
    """Everything about one candidate."""
    detector = loaded(name, low=True)
    row: dict[str, Any] = {"curves": curves(detector, pictures.wider, pictures.wider, pictures.truth)}
    row["small"] = curves(detector, pictures.shrunk, pictures.wider, pictures.truth)["hard"].average_precision()
    row["false"] = np.concatenate([one.scores for one in found(detector, pictures.without)])
    chips = list(found(detector, pictures.chips))
    row["tight"] = [best(one, image) for one, image in zip(chips, pictures.chips, strict=True)]
    row["parts"] = [one.scores[1] if len(one) > 1 else 0.0 for one in chips]
    if name != MTCNN:  # a minute for each ten
        row["phone"] = [hits(detector, face, behind, part) for face, behind in pictures.phone for part in OF_HEIGHT]
    mine, theirs = loaded(name), loaded(MTCNN)
    row["ratio"], row["ms"] = times(mine, theirs, list(pictures.wider.values())[::8], rounds)
    row["portrait ratio"], row["portrait ms"] = times(mine, theirs, pictures.portraits, rounds)
    return row


def loaded(name: str, *, low: bool = False) -> Detector:
    """A candidate on one thread; low: with the score threshold that average precision wants."""
    if name == MTCNN:
        return common.toolbox(MTCNN, None, 1).detector
    parameters = CANDIDATES[name] | ({"score_threshold": LOW} if low else {})
    loader = Loader(Registry(third_party=False), ModelStore(), device="cpu", threads=1)
    tools = Toolbox(Choice("yunet", None, (), {"yunet": parameters}), loader)
    tools.wait()
    return tools.detector


def found(detector: Detector, images: Iterable[Image]) -> Iterator[Detections]:
    """The faces of each picture, one at a time."""
    return (detector.detect([image])[0] for image in images)


def curves(
    detector: Detector,
    images: Mapping[str, Image],
    originals: Mapping[str, Image],
    truth: Mapping[str, ground_truth.TrueFaces],
) -> dict[str, Any]:
    """The curves of the three subsets; boxes are counted in px of the originals."""
    scaled = {}
    for name, own in zip(images, found(detector, images.values()), strict=True):
        factor: Any = originals[name].width / images[name].width
        scaled[name] = Detections(own.bboxes * np.float32(factor), own.scores, None)
    return {subset: curve_of(subset, truth, scaled) for subset in ground_truth.SUBSETS}


def best(own: Detections, image: Image) -> float:
    """The best score of a box that takes a good part of the picture; 0 if there is none."""
    sides = own.bboxes[:, 2:] - own.bboxes[:, :2]
    return float(own.scores[sides.prod(1) > FILLS * image.height * image.width].max(initial=0))


def hits(detector: Detector, face: Image, behind: Image, part: float) -> float:
    """The best score of a box about the one face of a picture of 12 megapixels; part: the face's, of the height."""
    pixels = cv2.resize(behind.pixels, PHONE[::-1])
    side = round(PHONE[0] * part / FACE_OF_LFW)
    top, left = PHONE[0] // 3, PHONE[1] // 2
    pixels[top : top + side, left : left + side] = cv2.resize(face.pixels, (side, side), interpolation=cv2.INTER_AREA)
    (own,) = detector.detect([Image(pixels, "a phone's")])
    middle = (own.bboxes[:, :2] + own.bboxes[:, 2:]) / 2 - np.array([left, top]) - side / 2
    return float(own.scores[(np.abs(middle) < side / 4).all(1)].max(initial=0))


def times(mine: Detector, theirs: Detector, images: Sequence[Image], rounds: int) -> tuple[float, float]:
    """The median over pictures of our time over mtcnn's, and ours in ms."""
    ratios, ms = [], []
    for image in images:
        turns = {"mine": partial(mine.detect, [image]), "theirs": partial(theirs.detect, [image])}
        median = common.medians(common.interleaved(turns, rounds, clock=time.thread_time))
        ratios.append(median["mine"] / median["theirs"])
        ms.append(median["mine"] * 1e3)
    return statistics.median(ratios), statistics.median(ms)


def memory() -> dict[str, float]:
    """MB that the defaults need beside a picture of 98 megapixels: of noise, so that something is found to suppress."""
    pixels = np.random.default_rng(0).integers(0, 256, (*HUGE, 3), np.uint8)
    detector = loaded(DEFAULT)
    before = common.peak_memory()
    detector.detect([Image(pixels, "huge")])
    return {"more": common.peak_memory() - before}


def table_head() -> None:
    """Print the head of the table of candidates, in Markdown; each is told at the defaults' score threshold."""
    print(
        f"| at {OWN} | AP easy | medium | hard | hard of {SHRUNK} px | mean F1 | false faces | chips missed "
        "| parts of faces | missed at 12 MP, 1/20 and 1/40 | ms, of mtcnn's | ms of a portrait, of mtcnn's |"
    )
    print("|" + "---|" * 12, flush=True)


def table_row(name: str, row: Mapping[str, Any]) -> None:
    """Print a candidate's line."""
    least = LOW if name == MTCNN else OWN
    precision = " | ".join(f"{curve.average_precision():.3f}" for curve in row["curves"].values())
    phone = ["-", "-"] if name == MTCNN else [missed(row["phone"][k::2], least) for k in (0, 1)]
    print(
        f"| {name} | {precision} | {row['small']:.3f} | {mean_f1(row, least):.3f} | {count(row['false'], least)} "
        f"| {missed(row['tight'], least)} | {count(row['parts'], least)} | {', '.join(phone)} "
        f"| {row['ms']:.1f}, {row['ratio']:.2f} | {row['portrait ms']:.1f}, {row['portrait ratio']:.2f} |",
        flush=True,
    )


def thresholds(row: Mapping[str, Any]) -> None:
    """Print what each score threshold gives with the defaults, in Markdown."""
    print(f"\n| {DEFAULT} at | recall easy | medium | hard | mean F1 | false faces | chips missed | missed at 12 MP |")
    print("|" + "---|" * 8)
    for threshold in THRESHOLDS:
        recall = " | ".join(f"{curve.at(threshold).recall:.3f}" for curve in row["curves"].values())
        print(
            f"| {threshold} | {recall} | {mean_f1(row, threshold):.3f} | {count(row['false'], threshold)} "
            f"| {missed(row['tight'], threshold)} | {missed(row['phone'], threshold)} |"
        )
    print()


def figures(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[common.Figure]:
    """What has bars."""
    default, mtcnn = rows[DEFAULT], rows[MTCNN]
    for subset, least in BARS.items():
        gain = default["curves"][subset].average_precision() - mtcnn["curves"][subset].average_precision()
        yield common.figure(f"AP {subset}, {DEFAULT} less mtcnn", gain, "{:+.3f}", least=least)
    yield common.figure(f"{DEFAULT} / mtcnn, time on wider_dev", default["ratio"], "{:.2f}", most=MOST_TIME)
    yield common.figure(f"{DEFAULT} / mtcnn, time on portraits", default["portrait ratio"], "{:.2f}")
    command = [sys.executable, __file__, "--alone", "memory"]
    more = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["more"]
    yield common.figure("MB beside a picture of 98 megapixels", more, "{:.0f}", most=200)


def mean_f1(row: Mapping[str, Any], threshold: float) -> float:
    """The mean over the subsets."""
    return float(np.mean([curve.at(threshold).f1 for curve in row["curves"].values()]))


def count(scores: Iterable[float], least: float) -> int:
    """How many reach the threshold."""
    return sum(score >= least for score in scores)


def missed(scores: Sequence[float], least: float) -> str:
    """How many do not, of how many."""
    return f"{sum(score < least for score in scores)} of {len(scores)}"


def outside_faces(image: Image, boxes: Any) -> Image | None:
    """The largest part of a picture outside all faces, None if it is too small or has a face that nobody counted."""
    if Path(image.source).name in FACES_THERE:
        return None
    free = np.ones(((image.height + 7) // 8, (image.width + 7) // 8), bool)  # in steps of 8 px
    for x, y, width, height in boxes:
        down, across = MARGIN * height, MARGIN * width
        rows = slice(int(max(0, y - down) // 8), int(max(0, y + height + down) // 8) + 1)
        free[rows, int(max(0, x - across) // 8) : int(max(0, x + width + across) // 8) + 1] = False
    top, left, bottom, right = (8 * edge for edge in largest_rectangle(free, LEAST // 8))
    part = image.pixels[top:bottom, left:right]
    return Image(np.ascontiguousarray(part), f"outside {image.source}") if part.size else None


def largest_rectangle(free: Any, least: int) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of the largest rectangle of True cells with no side below `least`."""
    best = 0, (0, 0, 0, 0)
    heights = np.zeros(free.shape[1], int)
    for row in range(free.shape[0]):
        heights = np.where(free[row], heights + 1, 0)
        for left in range(free.shape[1]):
            lowest = np.minimum.accumulate(heights[left:])
            widths = np.arange(1, len(lowest) + 1)
            area = np.where((lowest >= least) & (widths >= least), lowest * widths, 0)
            if area.max() > best[0]:
                end = int(area.argmax())
                best = int(area[end]), (row + 1 - int(lowest[end]), left, row + 1, left + end + 1)
    return best[1]


def textures() -> list[Image]:
    """Noise of several grains, stripes, checks, gradients and discs."""
    random, made = np.random.default_rng(14), []
    y, x = np.mgrid[:768, :1024]
    for grain in (1, 4, 16, 64):
        noise = random.integers(0, 256, (768 // grain, 1024 // grain, 3), np.uint8)
        made += [cv2.resize(noise, (1024, 768), interpolation=how) for how in (cv2.INTER_NEAREST, cv2.INTER_CUBIC)]
    for step in (6, 24, 96):
        made += [((x // step + k * (y // step)) % 2 * 255).astype(np.uint8) for k in (0, 1)]
        made.append((127 + 127 * np.sin(x / step) * np.sin(y / step)).astype(np.uint8))
        discs = (x % (4 * step) - 2 * step) ** 2 + (y % (4 * step) - 2 * step) ** 2 < step**2
        made.append((255 * discs).astype(np.uint8))
    made += [(x / 4).astype(np.uint8), (y / 3).astype(np.uint8)]
    return [Image(coloured(pixels), "made") for pixels in made]


def coloured(pixels: UInt8Array) -> UInt8Array:
    """RGB of grey pixels, or RGB as it is."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)


def inner(image: Image) -> Image:
    """The middle of a chip."""
    down, across = (round(side * (1 - INNER) / 2) for side in (image.height, image.width))
    return Image(np.ascontiguousarray(image.pixels[down:-down, across:-across]), image.source)


def resized(image: Image, side: int) -> Image:
    """A picture, so many px long."""
    scale = side / max(image.height, image.width)
    size = round(image.width * scale), round(image.height * scale)
    return Image(cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA), image.source)


if __name__ == "__main__":
    main()
