"""InsightFace's genderage: one small network that tells the gender and the age of a face."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from facecli.contract import AttributePlugin, Parameters, Runtime, hookimpl
from facecli.models import catalogue
from facecli.plugins.attributes.catalogued import softmax
from facecli.plugins.crop_model import OnnxModel
from facecli.types import FloatArray, UInt8Array

MODEL = "genderage"
COLUMNS = 3  # logits of woman and man, then the age in hundreds of years (insightface, model_zoo/attribute.py)
GENDERS = ("woman", "man")


@hookimpl
def facecli_attributes() -> Iterable[AttributePlugin]:
    """Its two halves."""
    spec = catalogue.load(MODEL)
    assert spec.crop is not None
    yield AttributePlugin(
        "gender/genderage", f"{spec.summary}: the gender", "gender", load_gender, spec.crop, GENDERS, models=(spec,)
    )
    yield AttributePlugin("age/genderage", f"{spec.summary}: the age", "age", load_age, spec.crop, (), models=(spec,))


def load_gender(runtime: Runtime, _parameters: Parameters) -> Gender:
    """The half that tells the gender."""
    return Gender(_model(runtime))


def load_age(runtime: Runtime, _parameters: Parameters) -> Age:
    """The half that tells the age."""
    return Age(_model(runtime))


def _model(runtime: Runtime) -> OnnxModel:
    preprocessing = catalogue.load(MODEL).preprocessing
    assert preprocessing is not None
    return OnnxModel(runtime, MODEL, preprocessing, COLUMNS)


class Gender:
    """The first two columns."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model

    def classify(self, crops: UInt8Array) -> FloatArray:
        """(N, 96, 96, 3) uint8 RGB crops -> (N, 2) float32 probabilities of woman and man.

        InsightFace tells the larger of the two logits alone; their softmax says how sure it is.
        """
        return softmax(self._model.run(crops)[:, :2])


class Age:
    """The third column."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model

    def classify(self, crops: UInt8Array) -> FloatArray:
        """(N, 96, 96, 3) uint8 RGB crops -> (N, 1) float32 years; InsightFace rounds them."""
        return np.ascontiguousarray(self._model.run(crops)[:, 2:] * np.float32(100))
