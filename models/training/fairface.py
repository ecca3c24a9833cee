"""Training of age, gender and race: `python -m facecli.models.training.fairface --data fairface.zip --out FOLDER`.

The data is a zip of FairFace's faces (CC BY 4.0; K. Kärkkäinen, J. Joo, WACV 2021), 112x112 px, aligned by five points,
and `labels.csv` with the columns file, split, age, gender and race. The split `val` is never read here.
"""

from __future__ import annotations

import csv
import io
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import Tensor

from facecli.errors import InputError, UsageError
from facecli.models.training import measure, program, splits
from facecli.models.training.config import Config
from facecli.models.training.engine import Examples
from facecli.models.training.published import Answer
from facecli.models.training.run import Task, TrainingData
from facecli.types import FloatArray, UInt8Array

AGES = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
GENDERS = ("Female", "Male")
RACES = ("East Asian", "Southeast Asian", "White", "Black", "Latino_Hispanic", "Middle Eastern", "Indian")
HEADS = {"age": AGES, "gender": GENDERS, "race": RACES}
SIDE = 112  # px, of the pictures


def read(path: Path, config: Config) -> TrainingData:
    """Return the faces of the split `train`, a part of them held out. Raises InputError for another file."""
    if config.answer != "probabilities" or config.share != 1:
        raise UsageError("the three heads answer apart", hint='answer = "probabilities", and no share')
    pixels, targets = faces(path, "train")
    kept = splits.held_out(pixels, config.holdout)
    learned, held_out = (
        Examples(pixels[rows], {head: target[rows] for head, target in targets.items()}) for rows in (~kept, kept)
    )
    return TrainingData(learned, held_out, partial(_calibrate, held_out))


def faces(path: Path, split: str) -> tuple[UInt8Array, dict[str, FloatArray]]:
    """Return the pictures (N, 112, 112, 3) uint8 RGB of a split, and one-hot targets (N, classes) of each head.

    Raises InputError for a file that can not be read, or that has other pictures or labels.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            rows = list(csv.DictReader(io.StringIO(archive.read("labels.csv").decode("utf-8-sig"))))
            rows = [row for row in rows if row["split"] == split]
            pixels = np.stack([_decoded(archive.read(row["file"]), row["file"]) for row in rows])
            labels = {head: [names.index(row[head]) for row in rows] for head, names in HEADS.items()}
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror or error}") from error
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        hint = "it needs labels.csv with file, split, age, gender and race, and the pictures"
        raise InputError(f"{path} has no faces to learn from: {error}", hint=hint) from error
    return pixels, {head: np.eye(len(HEADS[head]), dtype=np.float32)[labels[head]] for head in HEADS}


def _decoded(content: bytes, name: str) -> UInt8Array:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if picture is None or picture.shape != (SIDE, SIDE, 3):
        raise ValueError(f"{name} is no picture of {SIDE}x{SIDE} px")
    return np.ascontiguousarray(picture[:, :, ::-1])


def _calibrate(held_out: Examples, logits: Tensor) -> tuple[Answer, dict[str, Any]]:
    """Return the answer with the temperature of each head that fits the held-out pictures best."""
    temperatures, facts = {}, {}
    for (head, target), part in zip(held_out.targets.items(), logits.split_with_sizes(held_out.widths, 1), strict=True):
        probabilities, likeliest = part.softmax(1).numpy(), target.argmax(1)
        temperatures[head] = measure.best_temperature(probabilities, likeliest)
        facts[f"accuracy_{head}"] = measure.accuracy(probabilities, likeliest)
    heads = {head: target.shape[1] for head, target in held_out.targets.items()}
    return Answer(heads=heads, temperatures=temperatures, apart=True), facts


RECIPE = Path(__file__).with_suffix(".toml")
TASK = Task("fairface", read, "FairFace's aligned faces and their labels, a .zip file", RECIPE)

if __name__ == "__main__":
    raise SystemExit(program.main(TASK))
