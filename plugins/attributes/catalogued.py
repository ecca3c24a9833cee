"""Attribute models that need no code of their own: the catalogue says everything about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from facecli.contract import AttributePlugin, ModelSpec, Parameters, Preprocessing, Runtime, hookimpl
from facecli.labels import ordered
from facecli.plugins.crop_model import OnnxModel, described
from facecli.types import FloatArray, UInt8Array


@hookimpl
def facecli_attributes(name: str) -> Iterable[AttributePlugin]:
    """The attribute model of this name in the catalogue; its TOML alone is read."""
    spec, crop, preprocessing = described(name)
    assert spec.attribute is not None, spec.id
    load, labels = partial(_load, spec, preprocessing), ordered(spec.attribute, spec.labels)
    yield AttributePlugin(spec.id, spec.summary, spec.attribute, load, crop, labels, models=(spec,), floor=spec.floor)


def _load(spec: ModelSpec, preprocessing: Preprocessing, runtime: Runtime, _parameters: Parameters) -> OnnxAttribute:
    assert spec.attribute is not None, spec.id
    columns = [spec.labels.index(label) for label in ordered(spec.attribute, spec.labels)]
    model = OnnxModel(runtime, spec.id, preprocessing, len(spec.labels) or 1)
    return OnnxAttribute(model, columns or [0], logits=spec.logits)


class OnnxAttribute:
    """A catalogued attribute model whose graph ends in probabilities, in their logits, or in one number.

    columns: those of the graph's output, in the order of the plugin's labels.
    """

    def __init__(self, model: OnnxModel, columns: Sequence[int], *, logits: bool) -> None:
        self._model = model
        self._columns = list(columns)
        self._logits = logits

    def classify(self, crops: UInt8Array) -> FloatArray:
        """(N, H, W, 3) uint8 RGB crops -> (N, labels) float32 probabilities, or (N, 1) numbers."""
        rows = self._model.run(crops)
        return np.ascontiguousarray((softmax(rows) if self._logits else rows)[:, self._columns])


def softmax(logits: FloatArray) -> FloatArray:
    """(N, C) float32 logits -> (N, C) float32 probabilities."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)
