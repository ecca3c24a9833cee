"""Our emotion model beside mini-Xception on FER2013's PublicTest: accuracy on both label sets, calibration, speed.

The pictures go in as `facecli emotion --no-detect` takes them: whole, single, unmirrored. `--confusion FILE` writes
the confusion matrices as Markdown, `--plot FILE` a reliability plot, `--mistakes FILE` a sheet of our surest mistakes.
`--checkpoint FILE`, of the training's student, tells what int8 kernels change.
Needs fer2013.npz, mini-Xception's HDF5 file, and torch and h5py for its export.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import common
import numpy as np
from numpy.typing import NDArray

from facecli.crops import cutting
from facecli.export.recipes import mini_xception
from facecli.export.request import ExportRequest
from facecli.export.run import export_recipe
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.models import catalogue
from facecli.models.store import ModelStore
from facecli.models.training import architectures, calibrate, engine, fer2013, measure, published, splits
from facecli.models.training import emotion as training
from facecli.models.training import recipe as recipes
from facecli.models.training.checkpoint import start
from facecli.models.training.fer2013 import Faces
from facecli.types import Image, UInt8Array

OURS, THEIRS = "emotion/facecli-resnet", "emotion/mini-xception"
AT_ONCE = 256
FOLLOWED = ("fer2013", "ferplus")


@dataclass(frozen=True)
class Answers:
    """A model's probabilities (N, 7) for the pictures, and its milliseconds for a single face.

    followed: the probabilities of our model's heads, by what they follow.
    """

    probabilities: NDArray[np.float32]
    milliseconds: float
    followed: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--data", type=Path, default=common.SHARED / "data" / "fer2013.npz")
    options.add_argument(
        "--mini-xception", type=Path, default=common.SHARED / "models" / "fer2013_mini_xception.hdf5", help="HDF5 file"
    )
    options.add_argument("--rounds", type=int, default=200, help="single faces per model that are timed")
    options.add_argument("--confusion", type=Path, help="Markdown file to write")
    options.add_argument("--plot", type=Path, help="PNG file to write")
    options.add_argument("--mistakes", type=Path, help="PNG file to write")
    options.add_argument("--checkpoint", type=Path, help="the student's, as trained")
    given = options.parse_args()
    every = fer2013.read(given.data)
    faces = every["PublicTest"]
    found = answers(faces.pixels, given.mini_xception, given.rounds)
    lines = [line for name, own in found.items() for line in figures(name, own, faces)]
    lines += unsure(found[OURS].probabilities, faces)
    lines += copies(found[OURS].probabilities, faces, every["Training"])
    lines += noise()
    if given.checkpoint:
        lines += rounding(given.checkpoint, found[OURS].probabilities, faces)
    common.tell(lines, as_json=given.json)
    if given.confusion:
        given.confusion.write_text("\n\n".join(confusions(found, faces)) + "\n", "utf-8")
    if given.plot:
        plot(given.plot, {name: measure.reliability(own.probabilities, faces.label) for name, own in found.items()})
    if given.mistakes:
        mistakes(given.mistakes, found[OURS].probabilities, faces)


def answers(pixels: UInt8Array, weights: Path, rounds: int) -> dict[str, Answers]:
    """What both models say, through the plugins; timed in turns on one thread."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FACECLI_HOME"] = folder
        recipe = next(own for own in mini_xception.facecli_export_recipes() if own.name == "mini-xception")
        exported = export_recipe(ExportRequest(recipe=recipe, weights=weights), Path(folder) / "export")
        store = ModelStore()
        store.register(exported.model, [file.path for file in exported.files], exported.origin)
        tools = {}
        for name in (OURS, THEIRS):  # two models of one attribute do not go into one toolbox
            tools[name] = toolbox(store, name)
        heads = {follow: toolbox(store, OURS, follow=follow) for follow in FOLLOWED}
    crops = {name: whole(pixels, own) for name, own in tools.items()}
    single = {
        name: (lambda own=own, name=name: own.classifiers[0].classify(crops[name][:1])) for name, own in tools.items()
    }
    seconds = common.medians(common.interleaved(single, rounds, warm=10))
    made = {name: Answers(asked(own, crops[name]), seconds[name] * 1000) for name, own in tools.items()}
    made[OURS].followed.update({follow: asked(own, crops[OURS]) for follow, own in heads.items()})
    return made


def toolbox(store: ModelStore, name: str, **parameters: str) -> Toolbox:
    """One attribute model on one thread, loaded."""
    choice = Choice(attributes=(name,), parameters={name: parameters})
    tools = Toolbox(choice, Loader(Registry(third_party=False), store, device="cpu", threads=1))
    tools.wait()
    return tools


def asked(tools: Toolbox, crops: UInt8Array) -> NDArray[np.float32]:
    """The probabilities (N, 7) of a toolbox's one model."""
    (model,) = tools.classifiers
    return np.concatenate([model.classify(crops[i : i + AT_ONCE]) for i in range(0, len(crops), AT_ONCE)])


def whole(pixels: UInt8Array, tools: Toolbox) -> UInt8Array:
    """Each grey picture as the one crop that --no-detect makes of it."""
    (plugin,) = tools.attribute_plugins
    colour = np.repeat(pixels[..., None], 3, axis=3)
    return np.concatenate([cutting.whole(Image(picture, str(i)), plugin.crop) for i, picture in enumerate(colour)])


def right(probabilities: NDArray[np.float32], labels: NDArray[np.int64], rows: NDArray[np.bool_]) -> tuple[float, str]:
    """The part of these rows whose label is told, and its interval in words."""
    part = measure.accuracy(probabilities[rows], labels[rows])
    low, high = measure.wilson(part, int(rows.sum()))
    return part, f"95 % interval {low:.1%} to {high:.1%}"


def figures(name: str, own: Answers, faces: Faces) -> list[common.Figure]:
    """The bars are those of our own model; mini-Xception is told beside it."""
    ours = name == OURS
    voted = faces.votes.argmax(1)
    lines = []
    for what, rows, labels, bar in (
        ("FER2013 labels", np.ones(len(faces), bool), faces.label, 0.67),
        ("FER+ majority (its authors' rule)", fer2013.majority(faces), voted, 0.83),
        ("FER+ plurality", fer2013.plurality(faces), voted, None),
    ):
        part, interval = right(own.probabilities, labels, rows)
        text = f"{name}: {what}, {rows.sum()} pictures, {interval}"
        lines.append(common.figure(text, part, "{:.1%}", least=bar if ours else None))
    error = measure.calibration_error(own.probabilities, faces.label)
    lines.append(
        common.figure(f"{name}: calibration error, FER2013 labels", error, "{:.3f}", most=0.05 if ours else None)
    )
    rows = fer2013.majority(faces)
    error = measure.calibration_error(own.probabilities[rows], voted[rows])
    lines.append(common.figure(f"{name}: calibration error, FER+ majority", error, "{:.3f}"))
    agree, differ = rows & (voted == faces.label), rows & (voted != faces.label)
    for what, where, labels in (
        ("both label sets agree: right", agree, voted),
        ("they differ: as the voters", differ, voted),
        ("they differ: as FER2013's label", differ, faces.label),
    ):
        part = measure.accuracy(own.probabilities[where], labels[where])
        lines.append(common.figure(f"{name}: {what}, {where.sum()} pictures", part, "{:.1%}"))
    everyone = np.ones(len(faces), bool)
    for follow, probabilities in own.followed.items():
        for what, where, labels, bar in (
            ("FER2013 labels", everyone, faces.label, 0.67 if follow == "fer2013" else None),
            ("FER+ majority", rows, voted, 0.83 if follow == "ferplus" else None),
        ):
            part, interval = right(probabilities, labels, where)
            text = f"{name} with follow={follow}: {what}, {interval}"
            lines.append(common.figure(text, part, "{:.1%}", least=bar))
            error = measure.calibration_error(probabilities[where], labels[where])
            lines.append(common.figure(f"{name} with follow={follow}: calibration error, {what}", error, "{:.3f}"))
    text = f"{name}: ms for a face, one thread, with preprocessing"
    return [*lines, common.figure(text, own.milliseconds, "{:.2f}", most=3.0 if ours else None)]


def unsure(probabilities: NDArray[np.float32], faces: Faces) -> list[common.Figure]:
    """How many labels the floor makes null, and how many of these would have been right."""
    floor = catalogue.load(OURS).floor or 0.0
    rows = probabilities.max(1) < floor
    lines = [common.figure(f"null, for its probability is below {floor}", rows.mean(), "{:.1%}")]
    if rows.any():
        part = measure.accuracy(probabilities[rows], faces.label[rows])
        lines.append(common.figure(f"of these {rows.sum()} right, FER2013 labels", part, "{:.0%}"))
    return lines


def copies(probabilities: NDArray[np.float32], faces: Faces, training: Faces) -> list[common.Figure]:
    """The accuracy where what was learned has nearly the same picture, and elsewhere."""
    training = training.only(~splits.exact_copies(training.pixels, faces.pixels))
    near, lines = splits.near_copies(faces.pixels, training.pixels), []
    for what, rows in (("with a near copy in Training", near), ("without", ~near)):
        voted = rows & fer2013.majority(faces)
        for name, some, truth in (
            ("FER2013 labels", rows, faces.label),
            ("FER+ majority", voted, faces.votes.argmax(1)),
        ):
            part, interval = right(probabilities, truth, some)
            text = f"pictures {what}, {some.sum()}, {interval}: accuracy, {name}"
            lines.append(common.figure(text, part, "{:.1%}"))
    return lines


def noise(count: int = 300) -> list[common.Figure]:
    """What it says of even noise, and of a flat picture: the detector has to find the face."""
    tools = toolbox(ModelStore(), OURS)
    pixels = np.random.default_rng(0).integers(0, 256, (count + 1, fer2013.SIDE, fer2013.SIDE), dtype=np.uint8)
    pixels[count] = 128
    told = asked(tools, whole(pixels, tools))
    surest = told[:count].max(1)
    lines = []
    for label in np.unique(told[:count].argmax(1)):
        part = float((told[:count].argmax(1) == label).mean())
        lines.append(common.figure(f"of {count} pictures of noise {fer2013.LABELS[label]}", part, "{:.0%}"))
    text = f"largest probability for noise, median ({surest.min():.2f} to {surest.max():.2f})"
    lines.append(common.figure(text, float(np.median(surest)), "{:.2f}"))
    text = f"a flat picture: {fer2013.LABELS[int(told[count].argmax())]}"
    return [*lines, common.figure(text, float(told[count].max()), "{:.2f}")]


def rounding(checkpoint: Path, packed: NDArray[np.float32], faces: Faces) -> list[common.Figure]:
    """What int8 kernels change: the file's answers beside those of the network as it was trained, in PyTorch's float32.

    The checkpoint must be the one that the file was made from.
    """
    recipe = recipes.read(training.RECIPE)
    network = architectures.build(recipe.student.network, sum(calibrate.HEADS.values()), recipe.student.options)
    network.load_state_dict(start(checkpoint).state)
    stage = replace(recipe.student, schedule=replace(recipe.student.schedule, bf16=False))
    logits = engine.predict(network, faces.pixels, stage)
    own = published.answer_from(logits, published.Answer(heads=calibrate.HEADS, share=recipe.share)).numpy()
    changed = float((own.argmax(1) != packed.argmax(1)).mean())
    cost = measure.accuracy(own, faces.label) - measure.accuracy(packed, faces.label)
    return [
        common.figure("int8 kernels: answers changed", changed, "{:.2%}"),
        common.figure("int8 kernels: accuracy lost, FER2013 labels", cost, "{:+.2%}", most=0.003),
    ]


def confusions(found: dict[str, Answers], faces: Faces) -> list[str]:
    """The models side by side: the confusion with FER2013's labels, and with FER+'s majority."""
    rows = fer2013.majority(faces)
    told = {name: own.probabilities for name, own in found.items()}
    return [
        confusion("FER2013's label", told, faces.label),
        confusion("FER+'s majority", {name: own[rows] for name, own in told.items()}, faces.votes.argmax(1)[rows]),
    ]


def confusion(whose: str, told: dict[str, NDArray[np.float32]], labels: NDArray[np.int64]) -> str:
    """Per cent of each label's pictures that each model tells as each class, as a Markdown table."""
    counts = [measure.confusion(own, labels) for own in told.values()]
    parts = [own / np.maximum(own.sum(1, keepdims=True), 1) for own in counts]
    lines = [f"| {whose} \\ told by {' / '.join(told)}, % | {' | '.join(fer2013.LABELS)} | pictures |"]
    lines.append("|---" * (len(fer2013.LABELS) + 2) + "|")
    for index, label in enumerate(fer2013.LABELS):
        cells = [" / ".join(f"{own[index, other] * 100:.0f}" for own in parts) for other in range(len(fer2013.LABELS))]
        lines.append(f"| {label} | {' | '.join(cells)} | {counts[0][index].sum()} |")
    return "\n".join(lines)


def mistakes(path: Path, probabilities: NDArray[np.float32], faces: Faces, count: int = 48) -> None:
    """A sheet of the pictures that the voters' majority calls otherwise, the surest first."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    voted, told = faces.votes.argmax(1), probabilities.argmax(1)
    wrong = np.flatnonzero(fer2013.majority(faces) & (told != voted))
    surest = wrong[np.argsort(-probabilities[wrong].max(1), kind="stable")][:count]
    figure = Figure(figsize=(16, 13), layout="constrained")
    FigureCanvasAgg(figure)
    for axis, row in zip(figure.subplots(6, 8).flat, surest, strict=False):
        axis.imshow(faces.pixels[row], cmap="gray", vmin=0, vmax=255)
        names = [fer2013.LABELS[index] for index in (told[row], voted[row], faces.label[row])]
        axis.set_title(f"{names[0]} {probabilities[row].max():.2f}\nvoters {names[1]}\nFER2013 {names[2]}", fontsize=9)
        axis.axis("off")
    figure.savefig(path, dpi=70)


def plot(path: Path, bins: dict[str, list[measure.Bin]]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(bins), 4), layout="constrained")
    FigureCanvasAgg(figure)
    for axis, (name, own) in zip(figure.subplots(1, len(bins), sharey=True), bins.items(), strict=True):
        axis.plot([0, 1], [0, 1], color="grey", linewidth=1)
        most = max(b.count for b in own)
        axis.scatter([b.confidence for b in own], [b.accuracy for b in own], s=[10 + 150 * b.count / most for b in own])
        axis.set(title=name, xlabel="confidence", xlim=(0, 1), ylim=(0, 1))
        axis.grid(visible=True, alpha=0.3)
    figure.axes[0].set_ylabel("right, FER2013 PublicTest (area: pictures)")
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main()
