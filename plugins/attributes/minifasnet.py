"""Anti-spoofing: does the camera see a face, or a picture of one? Silent-Face's two networks, averaged."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from facecli.contract import AttributePlugin, ModelSpec, Parameters, Preprocessing, Runtime, hookimpl
from facecli.models import catalogue
from facecli.plugins.attributes.catalogued import softmax
from facecli.plugins.crop_model import OnnxModel
from facecli.types import FloatArray, UInt8Array

MODELS = ("minifasnet-v2", "minifasnet-v1se")  # crops of 2.7 and 4 times the bbox
CLASSES = 3
REAL = 1  # the others are two kinds of fake, which the project does not name


@hookimpl
def facecli_attributes() -> Iterable[AttributePlugin]:
    """The pair of networks as one model."""
    specs = tuple(catalogue.load(model_id) for model_id in MODELS)
    crops = tuple(spec.crop for spec in specs if spec.crop is not None)
    summary = "MiniFASNet V2 and V1SE: the probability that a face is real and not a print or a screen"
    yield AttributePlugin(
        "spoof/minifasnet",
        summary,
        "spoof",
        lambda runtime, parameters: load(specs, runtime, parameters),
        crops[0],
        ("real", "fake"),
        models=specs,
        more_crops=crops[1:],
    )


def load(specs: Iterable[ModelSpec], runtime: Runtime, _parameters: Parameters) -> MiniFasNets:
    """Both networks."""
    return MiniFasNets([OnnxModel(runtime, spec.id, _stated(spec.preprocessing), CLASSES) for spec in specs])


def _stated(preprocessing: Preprocessing | None) -> Preprocessing:
    assert preprocessing is not None
    return preprocessing


class MiniFasNets:
    """Networks that each look at a crop of their own."""

    def __init__(self, models: list[OnnxModel]) -> None:
        self._models = models

    def classify(self, *crops: UInt8Array) -> FloatArray:
        """One (N, 80, 80, 3) uint8 RGB array per network -> (N, 2) float32: the probabilities of real and of fake.

        The mean of the networks' probabilities; "fake" joins their two kinds of it.
        """
        each = [softmax(model.run(own)) for model, own in zip(self._models, crops, strict=True)]
        real = np.mean([rows[:, REAL] for rows in each], axis=0, dtype=np.float32)
        return np.stack([real, 1 - real], axis=1)
