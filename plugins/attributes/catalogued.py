"""Attribute models that need no code of their own: the catalogue says everything about them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from facecli.contract import AttributePlugin, ModelSpec, Parameters, Preprocessing, Runtime, hookimpl
from facecli.plugins.onnx import OnnxModel, entries
from facecli.types import FloatArray, UInt8Array


@hookimpl
def facecli_attributes() -> Iterable[AttributePlugin]:
    """Every attribute model of the catalogue."""
    for spec, crop, preprocessing in entries("attribute"):
        assert spec.attribute is not None, spec.id
        load = partial(_load, spec, preprocessing)
        yield AttributePlugin(
            spec.id, spec.summary, spec.attribute, load, crop, spec.labels, models=(spec,), floor=spec.floor
        )


def _load(spec: ModelSpec, preprocessing: Preprocessing, runtime: Runtime, _parameters: Parameters) -> OnnxAttribute:
    return OnnxAttribute(OnnxModel(runtime, spec.id, preprocessing, len(spec.labels) or 1))


class OnnxAttribute:
    """A catalogued attribute model whose graph ends in probabilities, or in one number."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model

    def classify(self, crops: UInt8Array) -> FloatArray:
        """(N, H, W, 3) uint8 RGB crops -> (N, labels) float32 probabilities, or (N, 1) numbers."""
        return self._model.run(crops)
