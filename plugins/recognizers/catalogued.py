"""Recognizers that need no code of their own: their catalogue entries describe them completely."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from facecli.contract import ModelSpec, Parameters, Preprocessing, RecognizerPlugin, Runtime, hookimpl
from facecli.plugins.crop_model import CropModel, catalogue_entry
from facecli.types import FloatArray, UInt8Array

DEFAULTS = {"flip": False}
SHORTEST = np.float32(1e-12)  # length of an embedding; shorter ones are not scaled to length 1, which would divide by 0


@hookimpl
def facecli_recognizers(name: str) -> Iterable[RecognizerPlugin]:
    """Yield the recognizer of this name in the catalogue; only its own TOML file is read."""
    spec, crop, preprocessing = catalogue_entry(name)
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
        publisher_point=spec.publisher_point,
        cohort_point=spec.cohort_point,
    )


def _load(
    spec: ModelSpec, preprocessing: Preprocessing, dim: int, runtime: Runtime, parameters: Parameters
) -> CataloguedRecognizer:
    model = CropModel(runtime, spec.id, preprocessing, dim)
    return CataloguedRecognizer(model, normalized=spec.normalized, **DEFAULTS | dict(parameters))


class CataloguedRecognizer:
    """A recognizer of the catalogue.

    normalized: scale embeddings to length 1. flip: average each embedding with that of the mirrored crop, which takes
    twice as long.
    """

    def __init__(self, model: CropModel, *, normalized: bool, flip: bool) -> None:
        self._model = model
        self._normalized = normalized
        self._flip = flip

    def embed(self, crops: UInt8Array) -> FloatArray:
        """Return the embeddings (N, dim) float32 of (N, H, W, 3) uint8 RGB crops."""
        if self._flip:
            both = self._model.run(np.concatenate([crops, crops[:, :, ::-1]]))
            rows = (both[: len(crops)] + both[len(crops) :]) / np.float32(2)
        else:
            rows = self._model.run(crops)
        if self._normalized:
            rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), SHORTEST)
        return rows
