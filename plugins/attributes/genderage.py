"""InsightFace's genderage: one small network whose output holds the gender and the age of a face.

It is two plugins, because an attribute has one name and one kind of answer.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from facecli.contract import AttributePlugin, Parameters, Runtime, hookimpl
from facecli.plugins.attributes.catalogued import softmax
from facecli.plugins.crop_model import CropModel, catalogue_entry
from facecli.types import FloatArray, UInt8Array

MODEL = "genderage"
COLUMNS = 3  # logits of woman and man, then the age in hundreds of years (insightface, model_zoo/attribute.py)
GENDERS = ("woman", "man")


@hookimpl
def facecli_attributes() -> Iterable[AttributePlugin]:
    """Yield the gender and the age."""
    spec, crop, _ = catalogue_entry(MODEL)
    yield AttributePlugin(
        "gender/genderage", f"{spec.summary}: the gender", "gender", load_gender, crop, GENDERS, models=(spec,)
    )
    yield AttributePlugin("age/genderage", f"{spec.summary}: the age", "age", load_age, crop, (), models=(spec,))


def load_gender(runtime: Runtime, _parameters: Parameters) -> Gender:
    """Return the classifier of genders."""
    return Gender(_model(runtime))


def load_age(runtime: Runtime, _parameters: Parameters) -> Age:
    """Return the regression of ages."""
    return Age(_model(runtime))


def _model(runtime: Runtime) -> CropModel:
    _, _, preprocessing = catalogue_entry(MODEL)
    return CropModel(runtime, MODEL, preprocessing, COLUMNS)


class Gender:
    """The gender of a face: the first two columns of the model's output."""

    def __init__(self, model: CropModel) -> None:
        self._model = model

    def classify(self, crops: UInt8Array) -> FloatArray:
        """Return the probabilities (N, 2) float32 of woman and man, for (N, 96, 96, 3) uint8 RGB crops.

        InsightFace reports only which of the two logits is larger; their softmax shows how far apart they are.
        """
        return softmax(self._model.run(crops)[:, :2])


class Age:
    """The age of a face: the third column of the model's output."""

    def __init__(self, model: CropModel) -> None:
        self._model = model

    def classify(self, crops: UInt8Array) -> FloatArray:
        """Return ages (N, 1) float32 in years, for (N, 96, 96, 3) uint8 RGB crops. InsightFace rounds them."""
        return np.ascontiguousarray(self._model.run(crops)[:, 2:] * np.float32(100))
