"""Training of any attribute: `python -m facecli.models.training.attribute --data FACES.npz --config TOML --out FOLDER`.

The arrays of the data file: pixels (N, H, W) or (N, H, W, 3) uint8, grey or RGB; names (C,) strings, the classes; and
either label (N,) integers, indices into names, or targets (N, C), how likely each class is for each picture. For an age
the classes are years, and the recipe says `answer = "mean"`.
"""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from facecli.errors import InputError, UsageError
from facecli.models.training import measure, program, published, splits
from facecli.models.training.config import Config
from facecli.models.training.engine import Examples
from facecli.models.training.published import Answer
from facecli.models.training.run import Task, TrainingData
from facecli.types import FloatArray, UInt8Array


def read(path: Path, config: Config) -> TrainingData:
    """Return the file's pictures, a part of them held out. Raises InputError for a file of other arrays."""
    pixels, names, targets = _arrays(path)
    (head, *others) = config.heads
    if others or config.share != 1:
        raise UsageError(f"one head is trained, of which share is 1; here are {len(config.heads)}, {config.share}")
    if config.from_votes:
        raise UsageError("only the emotions have votes", hint="take out from_votes")
    kept = splits.held_out(pixels, config.holdout)
    values = _numbers(path, names) if config.answer == "mean" else ()
    learned, held_out = (Examples(pixels[rows], {head: targets[rows]}) for rows in (~kept, kept))
    return TrainingData(learned, held_out, partial(_calibrate, names, values, head, held_out))


def _calibrate(
    names: list[str], values: tuple[float, ...], head: str, held_out: Examples, logits: Tensor
) -> tuple[Answer, dict[str, Any]]:
    """Return the answer with the temperature that fits the held-out pictures best; a mean of values has none."""
    heads, targets = {head: len(names)}, held_out.targets[head]
    probabilities, likeliest = logits.softmax(1).numpy(), targets.argmax(1)
    facts: dict[str, Any] = {"names": names, "accuracy": measure.accuracy(probabilities, likeliest)}
    if not values:
        return Answer(heads=heads, temperature=measure.best_temperature(probabilities, likeliest)), facts
    answer = Answer(heads=heads, values=values)
    means = published.answer_from(logits, answer).numpy()[:, 0]
    return answer, facts | {"mean_error": float(np.abs(means - targets @ np.array(values)).mean())}


def _arrays(path: Path) -> tuple[UInt8Array, list[str], FloatArray]:
    """Return pixels, names, and targets (N, C) whose rows sum to 1."""
    try:
        with np.load(path, allow_pickle=False) as file:
            pixels, names = file["pixels"], [str(name) for name in file["names"]]
            targets = np.asarray(file["targets"] if "targets" in file else _one_hot(file["label"], len(names)), float)
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror or error}") from error
    except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        hint = "it needs pixels, names, and label or targets"
        raise InputError(f"{path} has no faces to learn from: {error}", hint=hint) from error
    if pixels.dtype != np.uint8 or pixels.shape[3:] not in ((), (3,)) or pixels.ndim < 3:
        raise InputError(f"{path}: pixels must be (N, H, W) or (N, H, W, 3) uint8, are {pixels.shape} {pixels.dtype}")
    if targets.shape != (len(pixels), len(names)):
        raise InputError(f"{path}: targets must be {(len(pixels), len(names))}, are {targets.shape}")
    total = targets.sum(1, keepdims=True)
    if not (np.isfinite(targets).all() and (targets >= 0).all() and (total > 0).all()):
        raise InputError(f"{path}: every row of targets must have numbers from 0 up, and one above 0")
    return pixels, names, np.asarray(targets / total, np.float32)


def _one_hot(labels: NDArray[Any], classes: int) -> FloatArray:
    if not np.issubdtype(labels.dtype, np.integer) or (labels.size and not 0 <= labels.min() <= labels.max() < classes):
        raise ValueError(f"label must be integers from 0 to {classes - 1}")
    return np.asarray(np.eye(classes)[labels], np.float32)


def _numbers(path: Path, names: list[str]) -> tuple[float, ...]:
    try:
        numbers = tuple(float(name) for name in names)
    except ValueError as error:
        raise InputError(f"{path}: {error}; the mean of the classes needs numbers as their names") from error
    if not np.isfinite(numbers).all():
        raise InputError(f"{path}: names must be finite numbers, are {', '.join(names)}")
    return numbers


TASK = Task("attribute", read, "faces and their labels, an .npz file: pixels, names, and label or targets")

if __name__ == "__main__":
    raise SystemExit(program.main(TASK))
