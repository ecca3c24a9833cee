"""Models that take crops, run as their catalogue entries describe them; recognizers and attribute models share it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from facecli.contract import CropSpec, ModelSpec, Preprocessing, Runtime
from facecli.crops.preprocess import to_input
from facecli.errors import ModelError
from facecli.models import catalogue
from facecli.types import FloatArray, UInt8Array

PIXELS_AT_ONCE = 2**19  # of all crops in one run: a network's layers may take a thousand bytes for each of them


def catalogue_entry(name: str) -> tuple[ModelSpec, CropSpec, Preprocessing]:
    """Return a model of the catalogue, with its crop and preprocessing.

    Raises ModelError if the catalogue has no such model, or states no crop and preprocessing for it.
    """
    spec = catalogue.load(name)
    if spec.crop is None or spec.preprocessing is None:
        raise ModelError(f"the catalogue does not say how {name} wants its crops", hint="reinstall facecli")
    return spec, spec.crop, spec.preprocessing


class CropModel:
    """A model with one input, the crops, and one output that matters.

    width: columns of that output. output: its name; None is the first one.

    Raises ModelError for a model with several inputs.
    """

    def __init__(
        self, runtime: Runtime, model_id: str, preprocessing: Preprocessing, width: int, output: str | None = None
    ) -> None:
        self._session = runtime.session(model_id)
        self._preprocessing = preprocessing
        self._width, self._output = width, output
        (self._input, shape), *others = self._session.input_shapes.items()
        if others:
            raise ModelError(f"model {model_id} has {1 + len(others)} inputs, not one")
        self._batch = shape[0]

    def run(self, crops: UInt8Array) -> FloatArray:
        """Return the output for (N, H, W, 3) uint8 RGB crops: (N, width) float32. N may be 0."""
        if not len(crops):
            return np.zeros((0, self._width), np.float32)
        outputs = self.run_all(crops)
        return outputs[self._output] if self._output else next(iter(outputs.values()))

    def run_all(self, crops: UInt8Array) -> dict[str, FloatArray]:
        """Return every output by name, float32, for (N, H, W, 3) uint8 RGB crops; N is at least 1."""
        step = self._batch or max(1, PIXELS_AT_ONCE // (crops.shape[1] * crops.shape[2]))
        parts = [self._run_once(crops[i : i + step]) for i in range(0, len(crops), step)]
        return {
            name: np.concatenate([part[name] for part in parts])[: len(crops)].astype(np.float32, copy=False)
            for name in parts[0]
        }

    def _run_once(self, crops: UInt8Array) -> Mapping[str, FloatArray]:
        # A file with a fixed batch axis runs on as many crops at a time as it takes, the last time with padding.
        short = self._batch - len(crops) if self._batch else 0
        padded = np.concatenate([crops, np.repeat(crops[-1:], short, 0)]) if short else crops
        return self._session.run({self._input: to_input(padded, self._preprocessing)})
