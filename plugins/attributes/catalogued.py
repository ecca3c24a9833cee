"""Attribute models that need no code of their own: their catalogue entries describe them completely."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from facecli.contract import AttributePlugin, ModelSpec, Parameters, Preprocessing, Runtime, hookimpl
from facecli.labels import ordered
from facecli.plugins.crop_model import CropModel, catalogue_entry
from facecli.types import FloatArray, UInt8Array


@hookimpl
def facecli_attributes(name: str) -> Iterable[AttributePlugin]:
    """Yield the attribute model of this name in the catalogue; only its own TOML file is read."""
    spec, crop, preprocessing = catalogue_entry(name)
    assert spec.attribute is not None, spec.id
    load, labels = partial(_load, spec, preprocessing), ordered(spec.attribute, spec.labels)
    yield AttributePlugin(spec.id, spec.summary, spec.attribute, load, crop, labels, models=(spec,), floor=spec.floor)


def _load(
    spec: ModelSpec, preprocessing: Preprocessing, runtime: Runtime, _parameters: Parameters
) -> CataloguedAttribute:
    assert spec.attribute is not None, spec.id
    columns = [spec.labels.index(label) for label in ordered(spec.attribute, spec.labels)]
    model = CropModel(runtime, spec.id, preprocessing, len(spec.labels) or 1)
    return CataloguedAttribute(model, columns or [0], logits=spec.logits)


class CataloguedAttribute:
    """A model whose output is probabilities, logits of probabilities, or one number per crop.

    columns: of the output, in the order of the plugin's labels. logits: turn the output into probabilities by softmax.
    """

    def __init__(self, model: CropModel, columns: Sequence[int], *, logits: bool) -> None:
        self._model = model
        self._columns = list(columns)
        self._logits = logits

    def classify(self, crops: UInt8Array) -> FloatArray:
        """Return, for (N, H, W, 3) uint8 RGB crops, probabilities (N, labels) float32, or numbers (N, 1)."""
        rows = self._model.run(crops)
        return np.ascontiguousarray((softmax(rows) if self._logits else rows)[:, self._columns])


def softmax(logits: FloatArray) -> FloatArray:
    """Return the probabilities (N, C) float32 of logits (N, C) float32."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)
