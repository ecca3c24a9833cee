"""What an exported network is tried on: random inputs and real crops, in several batches and sizes."""

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
OTHER_SIZES = (1, 2)  # ExportPart.sample's variants


@dataclass(frozen=True, slots=True)
class Case:
    """One set of inputs. data: "random", or where real crops are from: "portraits", "samples"."""

    data: str
    inputs: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is known about a part beside its network: what its first output is, and how crops become its input."""

    task: Task
    crop: CropSpec | None
    preprocessing: Preprocessing | None


def meaning(part: ExportPart, spec: ModelSpec | None) -> Meaning:
    """What the part says, completed with what its model's spec says."""
    task = part.task or _task(spec)
    crop, preprocessing = part.crop, part.preprocessing
    if spec is not None:
        crop, preprocessing = crop or spec.crop, preprocessing or spec.preprocessing
    return Meaning(task, crop, preprocessing)


def takes_crops(part: ExportPart, spec: ModelSpec | None) -> bool:
    """Whether it is known how a face becomes a part's input."""
    known = meaning(part, spec)
    return known.crop is not None and known.preprocessing is not None and len(part.input_names) == 1


def cases(part: ExportPart, known: Meaning, samples: Samples = PORTRAITS) -> list[Case]:
    """Every case of a part. Raises ExportError if there are no real crops, or none that fit the network's input."""
    found = [Case("random", part.sample(batch, 0)) for batch in BATCHES]
    if any(axis > 0 for axes in part.dynamic_axes.values() for axis in axes):
        found += [Case("random", part.sample(1, variant)) for variant in OTHER_SIZES]
    return found + list(_real(part, known, found[0], samples))


def _real(part: ExportPart, known: Meaning, example: Case, samples: Samples) -> Iterator[Case]:
    if known.crop is None or known.preprocessing is None or len(part.input_names) != 1:
        return
    crops = to_input(samples.crops(known.crop), known.preprocessing)
    wanted = example.inputs[0].shape[1:]
    if crops.shape[1:] != wanted:
        what = f"crops make {crops.shape[1:]}, the network takes {wanted}"
        raise ExportError(f"{part.file}: {what}", hint="mend the crop or the preprocessing of its model's entry")
    if 0 in part.dynamic_axes.get(part.input_names[0], {}):
        *small, large = BATCHES
        starts = [(0, batch) for batch in small] + [(start, large) for start in range(0, len(crops), large)]
    else:  # one batch is all that the network takes
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
