"""Anti-spoofing: the probability that the camera sees a face and not a picture of one, by Silent-Face's two networks.

Each network looks at a crop of its own, one close and one with more surroundings; their answers are averaged.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from facecli.contract import AttributePlugin, Parameters, Preprocessing, Runtime, hookimpl
from facecli.plugins.attributes.catalogued import softmax
from facecli.plugins.crop_model import CropModel, catalogue_entry
from facecli.types import FloatArray, UInt8Array

MODELS = ("minifasnet-v2", "minifasnet-v1se")  # crops of 2.7 and 4 times the bbox
CLASSES = 3
REAL = 1  # the class of real faces; the two others are kinds of fake that the project does not name


@hookimpl
def facecli_attributes() -> Iterable[AttributePlugin]:
    """Yield the pair of networks as one model."""
    specs, crops, preprocessings = zip(*map(catalogue_entry, MODELS), strict=True)
    summary = "MiniFASNet V2 and V1SE: the probability that a face is real and not a print or a screen"
    yield AttributePlugin(
        "spoof/minifasnet",
        summary,
        "spoof",
        lambda runtime, parameters: load(preprocessings, runtime, parameters),
        crops[0],
        ("real", "fake"),
        models=specs,
        more_crops=crops[1:],
    )


def load(preprocessings: Iterable[Preprocessing], runtime: Runtime, _parameters: Parameters) -> MiniFasNets:
    """Return both networks. preprocessings: one for each of MODELS."""
    pairs = zip(MODELS, preprocessings, strict=True)
    return MiniFasNets([CropModel(runtime, model, how, CLASSES) for model, how in pairs])


class MiniFasNets:
    """Networks that each see a crop of their own."""

    def __init__(self, models: list[CropModel]) -> None:
        self._models = models

    def classify(self, *crops: UInt8Array) -> FloatArray:
        """Return the probabilities (N, 2) float32 of real and fake: the mean of the networks'.

        crops: one array (N, 80, 80, 3) uint8 RGB per network. "fake" is the sum of the two kinds of fake.
        """
        each = [softmax(model.run(crop)) for model, crop in zip(self._models, crops, strict=True)]
        real = np.mean([rows[:, REAL] for rows in each], axis=0, dtype=np.float32)
        return np.stack([real, 1 - real], axis=1)
