"""Running an ONNX model as its catalogue entry describes it: the part that recognizers and attributes share."""

from __future__ import annotations

import numpy as np

from facecli.contract import CropSpec, ModelSpec, Preprocessing, Runtime
from facecli.crops.preprocess import to_input
from facecli.errors import ModelError
from facecli.models import catalogue
from facecli.types import FloatArray, UInt8Array


def described(name: str) -> tuple[ModelSpec, CropSpec, Preprocessing]:
    """A model of the catalogue, with its crop and preprocessing. Raises ModelError if there is none."""
    spec = catalogue.load(name)
    if spec.crop is None or spec.preprocessing is None:
        raise ModelError(f"the catalogue does not say how {name} wants its crops", hint="reinstall facecli")
    return spec, spec.crop, spec.preprocessing


class OnnxModel:
    """A model with one image input and one output that matters: the first, or the one of this name."""

    def __init__(
        self, runtime: Runtime, model_id: str, preprocessing: Preprocessing, width: int, output: str | None = None
    ) -> None:
        self._session = runtime.session(model_id)
        self._preprocessing = preprocessing
        self._width, self._output = width, output
        (self._input, shape), *rest = self._session.input_shapes.items()
        if rest:
            raise ModelError(f"model {model_id} has {1 + len(rest)} inputs, not one")
        self._batch = shape[0]

    def run(self, crops: UInt8Array) -> FloatArray:
        """(N, H, W, 3) uint8 RGB crops -> (N, width) float32; N may be 0."""
        if not len(crops):
            return np.zeros((0, self._width), np.float32)
        pixels = to_input(crops, self._preprocessing)
        # A file whose batch axis is fixed is fed as many crops at a time as it wants, the last time with padding.
        step = self._batch or len(pixels)
        short = -len(pixels) % step
        pixels = np.concatenate([pixels, np.repeat(pixels[-1:], short, 0)]) if short else pixels
        parts = [self._wanted(pixels[i : i + step]) for i in range(0, len(pixels), step)]
        return np.concatenate(parts)[: len(crops)].astype(np.float32, copy=False)

    def _wanted(self, pixels: FloatArray) -> FloatArray:
        outputs = self._session.run({self._input: pixels})
        output: FloatArray = outputs[self._output] if self._output else next(iter(outputs.values()))
        return output
