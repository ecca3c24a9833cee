"""The inputs that an exported network is proved on: random ones and real crops, in several batches and sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facecli.crops.preprocess import to_input
from facecli.errors import ExportError
from facecli.export.proof.samples import PORTRAITS, Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facecli.contract import CropSpec, ExportPart, ModelSpec, Preprocessing, Task

BATCHES = (1, 3, 8)
OTHER_SIZES = (1, 2)  # variants of ExportPart.sample, for networks with a free height or width


@dataclass(frozen=True, slots=True)
class Case:
    """One set of inputs, one array per input. data: "random", or the origin of real crops, "portraits" or "samples"."""

    data: str
    inputs: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True)
class InputMeaning:
    """The meaning of a network's arrays: the task of its first output, and how face crops become its input."""

    task: Task
    crop: CropSpec | None
    preprocessing: Preprocessing | None


def input_meaning(part: ExportPart, spec: ModelSpec | None) -> InputMeaning:
    """Return the meaning that a part states, completed from the description of its model."""
    task = part.task or _task(spec)
    crop, preprocessing = part.crop, part.preprocessing
    if spec is not None:
        crop, preprocessing = crop or spec.crop, preprocessing or spec.preprocessing
    return InputMeaning(task, crop, preprocessing)


def takes_crops(part: ExportPart, spec: ModelSpec | None) -> bool:
    """Return True if a part has one input and it is stated how a face becomes that input."""
    meaning = input_meaning(part, spec)
    return meaning.crop is not None and meaning.preprocessing is not None and len(part.input_names) == 1


def cases(part: ExportPart, meaning: InputMeaning, samples: Samples = PORTRAITS) -> list[Case]:
    """Return every case of a part: random inputs in several batches and sizes, then real crops if it takes crops.

    Raises ExportError if the samples have no face, or their crops do not have the shape of the network's input.
    """
    random = [Case("random", part.sample(batch, 0)) for batch in BATCHES]
    if any(axis > 0 for axes in part.dynamic_axes.values() for axis in axes):
        random += [Case("random", part.sample(1, variant)) for variant in OTHER_SIZES]
    return random + list(_real_cases(part, meaning, random[0], samples))


def _real_cases(part: ExportPart, meaning: InputMeaning, example: Case, samples: Samples) -> Iterator[Case]:
    if meaning.crop is None or meaning.preprocessing is None or len(part.input_names) != 1:
        return
    crops = to_input(samples.crops(meaning.crop), meaning.preprocessing)
    expected = example.inputs[0].shape[1:]
    if crops.shape[1:] != expected:
        what = f"crops make {crops.shape[1:]}, the network takes {expected}"
        raise ExportError(f"{part.file}: {what}", hint="mend the crop or the preprocessing of its model's entry")
    if 0 in part.dynamic_axes.get(part.input_names[0], {}):
        *small, large = BATCHES
        starts = [(0, batch) for batch in small] + [(start, large) for start in range(0, len(crops), large)]
    else:  # the network takes batches of one size alone
        batch = len(example.inputs[0])
        starts = [(start, batch) for start in range(0, len(crops) - batch + 1, batch)]
    if not starts or not len(crops):
        raise ExportError(f"{part.file}: no faces were found to prove it on", hint="put more pictures there")
    for start, batch in starts:
        yield Case(samples.data, (crops[start : start + batch],))


def _task(spec: ModelSpec | None) -> Task:
    if spec is not None and spec.kind == "recognizer":
        return "embedding"
    return "classification" if spec is not None and spec.kind == "attribute" and spec.labels else "values"
