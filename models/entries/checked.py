"""Entries from strangers: a description becomes a ModelSpec only if every part of it makes sense.

Such a description comes from the metadata of an ONNX file or from a file in the user's folder, and is not trusted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from facecli.contract import CropSpec, ModelFile, ModelSpec, OperatingPoint, Preprocessing
from facecli.contract.reach import point_fault
from facecli.errors import ModelError
from facecli.kinds import MODEL_KINDS
from facecli.models.entries.building import build
from facecli.system.home import ID

LONGEST_ID = 100  # characters
MEND = "mend it; `facecli models info sface --json` shows a sound one"
LARGEST_SIDE, LARGEST_DIM = 4096, 65536  # px, floats: crops and embeddings are allocated before anything is run


class _FaultError(ValueError):
    """A description that makes no sense. settings: those by which a user who describes a model just now can mend it."""

    def __init__(self, message: str, settings: tuple[str, ...]) -> None:
        super().__init__(message)
        self.settings = settings


def spec(entry: Mapping[str, Any], files: tuple[ModelFile, ...], where: str, *, typed: bool = False) -> ModelSpec:
    """Return a description as a ModelSpec with these files; its own `files` are ignored.

    where: the description's place, which begins the message. typed: whether a user describes the model just now, by
    settings that the hint can name. Raises ModelError that names the first fault.
    """
    try:
        model: ModelSpec = build(ModelSpec, {**entry, "files": ()})
        _check(model)
    except ValueError as error:
        settings = error.settings if typed and isinstance(error, _FaultError) else ()
        hint = f"mend {' or '.join(f'{{{name}}}' for name in settings)}" if settings else MEND
        raise ModelError(f"{where}: {error}", hint=hint, about=settings) from error
    return dataclasses.replace(model, files=files)


def _check(model: ModelSpec) -> None:
    """Raise ValueError for a model whose fields have the right types and do not make sense together."""
    _require(
        ID.fullmatch(model.id) and len(model.id) <= LONGEST_ID, f"{model.id!r:.60} is no id: a-z, 0-9, - and _", "name"
    )
    _require(model.kind in MODEL_KINDS, f"a {model.kind} needs a plugin", "kind")
    _require(model.summary, "summary is empty", "summary")
    _require(model.preprocessing, "preprocessing is missing")
    assert model.preprocessing is not None
    _check_preprocessing(model.preprocessing)
    _require(not model.logits or model.labels, "logits are of an attribute model with labels", "logits", "labels")
    _require(model.kind == "detector" or not model.family, "only a detector has a family", "family")
    _require(model.cohort_point is None, "a point with a cohort comes with a plugin alone")
    if model.kind == "detector":
        _check_detector(model, model.preprocessing)
        return
    _require(model.crop, "crop is missing", "crop")
    assert model.crop is not None
    _check_crop(model.crop)
    if model.kind == "recognizer":
        _require(model.dim and 1 <= model.dim <= LARGEST_DIM, f"dim must be 1 to {LARGEST_DIM}", "dim")
        _require(model.operating_point, "operating_point is missing: metric and threshold")
        assert model.operating_point is not None
        _check_operating_point(model.operating_point, "operating_point", normalized=model.normalized)
        if model.publisher_point is not None:
            _check_operating_point(model.publisher_point, "publisher_point", normalized=model.normalized)
    else:
        named = model.attribute and model.id.startswith(f"{model.attribute}/")
        fault = f"an attribute model's id is ATTRIBUTE/NAME, this is {model.id} of {model.attribute}"
        _require(named, fault, "name", "attribute")
        _require(len(set(model.labels)) == len(model.labels) and "" not in model.labels, "labels must differ", "labels")


def _check_detector(model: ModelSpec, preprocessing: Preprocessing) -> None:
    _require(model.family, "family is missing: the detector whose outputs it has")
    _require("/" not in model.id, "a detector's id has no /", "name")
    points = (model.operating_point, model.publisher_point)
    needless = (model.crop, model.dim, model.attribute, model.labels, *points)
    _require(not any(needless), "a detector has no crop, dim, attribute, labels or operating point")
    coloured = preprocessing.layout == "NCHW" and preprocessing.colour != "grey"
    _require(coloured, "a detector takes coloured pictures, NCHW")


def _check_crop(crop: CropSpec) -> None:
    sides = 1 <= crop.width <= LARGEST_SIDE and 1 <= crop.height <= LARGEST_SIDE
    _require(sides, f"crop.width and height must be 1 to {LARGEST_SIDE}", "size")
    _require(-0.4 <= crop.margin <= 10, "crop.margin must be -0.4 to 10", "margin")
    points = crop.template
    _require(points is None or len(set(points)) == len(points), "crop.template must be five different points")
    relative = points is not None and all(0 <= value <= 1 for point in points for value in point)
    _require(not relative, "crop.template is in px of the crop: are these parts of its sides?")


def _check_preprocessing(preprocessing: Preprocessing) -> None:
    channels = 1 if preprocessing.colour == "grey" else 3
    for name, values in (("mean", preprocessing.mean), ("std", preprocessing.std)):
        _require(len(values) in (1, channels), f"preprocessing.{name} must have 1 or {channels} values", name)
    _require(all(abs(value) > 1e-6 for value in preprocessing.std), "preprocessing.std must not be 0", "std")
    # Networks are trained on pixels of 0 to 1 or of 0 to 255; the numbers of the first are not those of the second.
    of_one = any(0 < value < 1 for value in preprocessing.mean) or any(abs(value) < 1 for value in preprocessing.std)
    fault = "preprocessing: are mean and std of pixels from 0 to 1? here they are of 0 to 255: times 255"
    _require(not of_one, fault, "mean", "std")
    _require(preprocessing.version >= 1, "preprocessing.version must be 1 or more")


def _check_operating_point(point: OperatingPoint, name: str, *, normalized: bool) -> None:
    _require(all(0 <= rate <= 1 for rate in point.rates), f"{name}: a rate must be 0 to 1")
    _require(all(threshold >= 0 for threshold in point.thresholds), f"{name}: a threshold must be 0 or more")
    _require(point.cohort is None, f"{name}: a cohort comes with a plugin alone")
    _require(not point.unknown_metrics, f"{name}.equivalents: an unknown metric")
    fault = point_fault(point, normalized=normalized)
    _require(fault is None, f"{name}: {fault}", "threshold", "metric")


def _require(good: object, fault: str, *settings: str) -> None:
    if not good:
        raise _FaultError(fault, settings)
