"""Recognizers that need no code of their own: the catalogue says everything about them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from facecli.contract import ModelSpec, Parameters, Preprocessing, RecognizerPlugin, Runtime, hookimpl
from facecli.plugins.crop_model import OnnxModel, described
from facecli.types import FloatArray, UInt8Array

DEFAULTS = {"flip": False}


@hookimpl
def facecli_recognizers(name: str) -> Iterable[RecognizerPlugin]:
    """The recognizer of this name in the catalogue; its TOML alone is read."""
    spec, crop, preprocessing = described(name)
    assert spec.dim is not None and spec.operating_point is not None, spec.id
    yield RecognizerPlugin(
        spec.id,
        spec.summary,
        partial(_load, spec, preprocessing, spec.dim),
        crop,
        spec.dim,
        spec.normalized,
        spec.operating_point,
        models=(spec,),
        preprocessing_version=preprocessing.version,
        parameters=DEFAULTS,
    )


def _load(
    spec: ModelSpec, preprocessing: Preprocessing, dim: int, runtime: Runtime, parameters: Parameters
) -> OnnxRecognizer:
    model = OnnxModel(runtime, spec.id, preprocessing, dim)
    return OnnxRecognizer(model, normalized=spec.normalized, **DEFAULTS | dict(parameters))


class OnnxRecognizer:
    """A catalogued recognizer. flip: average each embedding with that of the mirrored crop."""

    def __init__(self, model: OnnxModel, *, normalized: bool, flip: bool) -> None:
        self._model = model
        self._normalized = normalized
        self._flip = flip

    def embed(self, crops: UInt8Array) -> FloatArray:
        """(N, H, W, 3) uint8 RGB crops -> (N, dim) float32; rows have length 1 if the model is catalogued so."""
        if self._flip:
            both = self._model.run(np.concatenate([crops, crops[:, :, ::-1]]))
            rows = (both[: len(crops)] + both[len(crops) :]) / np.float32(2)
        else:
            rows = self._model.run(crops)
        if self._normalized:
            rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
        return rows
