"""Every network of deepface, built by deepface itself with random weights, against our ONNX file of the same weights.

No pretrained weights are needed: Keras saves the random ones, `facecli export` reads them, and both see the same crops.
"""

from __future__ import annotations

import os
import sys

os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

import importlib
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import common
import numpy as np
from deepface.commons import weight_utils

from facecli.contract import ExportPart, ExportRecipe
from facecli.export.request import ExportRequest
from facecli.export.run import export_recipe
from facecli.hosting.registry import Registry
from facecli.inference.session import open_session

BATCHES = (1, 8, 32)
MOST = 1e-4  # of the largest value, as the issue asks


@dataclass(frozen=True)
class Subject:
    """One of deepface's models: its module and function, and what deepface does with the network's output."""

    recipe: str
    module: str
    function: str = "load_model"
    after: Callable[[np.ndarray], np.ndarray] = lambda rows: rows


def unit(rows: np.ndarray) -> np.ndarray:
    """As deepface's VggFaceClient.forward."""
    from deepface.modules.verification import l2_normalize

    return np.asarray(l2_normalize(rows, axis=1))


def years(rows: np.ndarray) -> np.ndarray:
    """As deepface's ApparentAgeClient.predict."""
    from deepface.models.demography.DemographyUtils import find_apparent_age

    return np.array([[find_apparent_age(row)] for row in rows])


RECOGNITION, DEMOGRAPHY = "deepface.models.facial_recognition.tf", "deepface.models.demography.tf"
SUBJECTS = {
    subject.recipe: subject
    for subject in (
        Subject("openface", f"{RECOGNITION}.OpenFace"),
        Subject("facenet128", f"{RECOGNITION}.Facenet", "load_facenet128d_model"),
        Subject("facenet512", f"{RECOGNITION}.Facenet", "load_facenet512d_model"),
        Subject("deepid", f"{RECOGNITION}.DeepID"),
        Subject("deepface-emotion", f"{DEMOGRAPHY}.Emotion"),
        Subject("vgg-face", f"{RECOGNITION}.VGGFace", after=unit),
        Subject("deepface-age", f"{DEMOGRAPHY}.Age", after=years),
        Subject("deepface-gender", f"{DEMOGRAPHY}.Gender"),
        Subject("deepface-race", f"{DEMOGRAPHY}.Race"),
        Subject("deepface", f"{RECOGNITION}.FbDeepFace"),
    )
}


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("networks", nargs="*", default=list(SUBJECTS), help="recipes")
    options.add_argument("--rounds", type=int, default=0, help="also time both in turns, that often, at batch 1, 8, 32")
    options.add_argument("--no-export", action="store_true", help="compare our network itself, not its ONNX file")
    options.add_argument("--record", type=Path, help="write layers and answers here, for tests/export, and end")
    given = options.parse_args()
    if given.record:
        given.record.write_text(json.dumps({name: recorded(SUBJECTS[name]) for name in given.networks}) + "\n", "utf-8")
        return
    figures = []
    for name in given.networks:
        found = compared(SUBJECTS[name], given.rounds, export=not given.no_export)
        print(*(f"{own.what} {own.text}" for own in found), sep="\n", file=sys.stderr)  # the next may take a while
        figures += found
    common.tell(figures, as_json=given.json)
    if not all(figure.met is not False for figure in figures):
        raise SystemExit(1)


def compared(subject: Subject, rounds: int, *, export: bool) -> list[common.Figure]:
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.h5"
        model = built(subject, weights)
        recipe = Registry(third_party=False).load("recipes", subject.recipe, ExportRecipe)
        if export:
            request = ExportRequest(recipe=recipe, weights=weights)
            session: Any = open_session(export_recipe(request, Path(folder) / "out").files[0].path)
        else:
            session = Plain(*recipe.build(weights))
        (name, shape), *_ = session.input_shapes.items()
        crops = np.random.default_rng(7).random((3, *(side or 0 for side in shape[1:])), np.float32)
        ours = next(iter(session.run({name: crops}).values()))
    theirs = subject.after(np.asarray(model(seen_by_keras(subject, crops), training=False)))
    spread = float(np.abs(theirs - theirs.mean(0)).max() / np.abs(theirs).max())
    difference = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    return [
        common.figure(f"{subject.recipe}: largest difference / largest value", difference, "{:.1e}", most=MOST),
        # Where all crops gave the same answer, agreement would mean nothing.
        common.figure(f"{subject.recipe}: spread between crops / largest value", spread, "{:.1e}", least=1e-3),
        *(figure for batch in (BATCHES if rounds else ()) for figure in timed(subject, model, session, batch, rounds)),
    ]


class Plain:
    """Our network in PyTorch, to be used like the session of its ONNX file."""

    def __init__(self, part: ExportPart) -> None:
        self._part = part
        self.input_shapes = {part.input_names[0]: (None, *part.sample(1, 0)[0].shape[1:])}

    def run(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        import torch

        with torch.inference_mode():
            (crops,) = feeds.values()
            return {self._part.output_names[0]: self._part.module(torch.from_numpy(crops)).numpy()}


def timed(subject: Subject, model: Any, session: Any, batch: int, rounds: int) -> list[common.Figure]:
    """Both networks alone, in seconds of the processor over all threads: what others do meanwhile does not count."""
    (name, shape), *_ = session.input_shapes.items()
    crops = np.random.default_rng(7).random((batch, *(side or 0 for side in shape[1:])), np.float32)
    last = seen_by_keras(subject, crops)
    # As FacialRecognition.forward and Demography._predict_internal call it.
    theirs = (lambda: model(last, training=False).numpy()) if batch == 1 else (lambda: model.predict_on_batch(last))
    actions = {"ours": lambda: session.run({name: crops}), "theirs": theirs}
    seconds = common.medians(common.interleaved(actions, rounds, clock=time.process_time))
    what = f"{subject.recipe}, batch {batch}"
    return [
        common.figure(f"{what}: ms", seconds["ours"] * 1000, "{:.2f}"),
        common.figure(f"{what}: faces/s", batch / seconds["ours"], "{:.1f}"),
        common.figure(f"{what}: times as fast as TensorFlow", seconds["theirs"] / seconds["ours"], "{:.2f}", least=1),
    ]


def recorded(subject: Subject) -> dict[str, Any]:
    """The layers of a network with the shapes of their weights, and what it answers to fixed crops."""
    with tempfile.TemporaryDirectory() as folder:
        model = built(subject, Path(folder) / "weights.h5")
    shape = model.input_shape[1:]
    crops = np.random.default_rng(7).random((2, *shape), np.float32)
    rows = subject.after(np.asarray(model(crops, training=False)))
    layers = [
        [layer.name, [[_plain_name(v), list(v.shape)] for v in layer.weights]]
        for layer in model.layers
        if layer.weights
    ]
    return {"crops": list(crops.shape), "layers": layers, "rows": [[float(f"{v:.6g}") for v in row] for row in rows]}


def _plain_name(variable: Any) -> str:
    return str(variable.name.rpartition("/")[2].partition(":")[0])


def built(subject: Subject, weights: Path) -> Any:
    """The network by deepface's own code, with random weights, which are saved as its own files are."""

    def randomised(model: Any, weight_file: str) -> Any:
        randomise(model)
        model.save_weights(weight_file)
        return model

    weight_utils.download_weights_if_necessary = lambda **_: str(weights)
    weight_utils.load_model_weights = randomised
    return getattr(importlib.import_module(subject.module), subject.function)()


def randomise(model: Any) -> None:
    """Kernels that keep the signal's size, biases and statistics that are not what a new network has."""
    random = np.random.default_rng(0)
    for layer in model.layers:
        values = []
        for variable, value in zip(layer.weights, layer.get_weights(), strict=True):
            name, shape = _plain_name(variable), value.shape
            if name in ("gamma", "moving_variance"):
                values.append(random.uniform(0.5, 1.5, shape))
            elif name == "kernel":
                inputs = (
                    shape[1] if len(shape) == 3 else int(np.prod(shape[:-1]))
                )  # LocallyConnected2D has a third axis
                values.append(random.normal(0, np.sqrt(2 / inputs), shape))
            else:
                values.append(random.normal(0, 0.1, shape))
        layer.set_weights(values)


def seen_by_keras(subject: Subject, crops: np.ndarray) -> np.ndarray:
    """(N, C, H, W) crops as deepface gives them to its network: channels last, its emotion network's made smaller."""
    last = crops.transpose(0, 2, 3, 1)
    if subject.recipe != "deepface-emotion":
        return last
    import cv2

    return np.stack([cv2.resize(crop, (48, 48)) for crop in last])[..., None]


if __name__ == "__main__":
    main()
