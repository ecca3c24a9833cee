"""An attribute that is a number, not a class: how bright the face is, from 0 (black) to 1 (white)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from facecli.contract import AttributePlugin, CropSpec, Parameters, Runtime, hookimpl
from facecli.types import FloatArray, UInt8Array

LUMA = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)  # ITU-R BT.601; crops are always RGB


@hookimpl
def facecli_attributes() -> Iterable[AttributePlugin]:
    """Describe the attribute. With labels it would be a classifier whose rows sum to 1; without, it is a regression."""
    yield AttributePlugin(
        name="brightness/example",  # ATTRIBUTE/MODEL, because several models may tell the same attribute
        summary="mean brightness of the face, 0 to 1",
        attribute="brightness",
        load=_load,
        crop=CropSpec(32, 32),  # no template: cut by the bbox, so that detectors without landmarks will do
        labels=(),
    )


def _load(_runtime: Runtime, _parameters: Parameters) -> Brightness:
    return Brightness()


class Brightness:
    """The mean of the crop's luma."""

    def classify(self, crops: UInt8Array) -> FloatArray:
        """(N, 32, 32, 3) uint8 RGB crops -> (N, 1) float32 in [0, 1]; N may be 0."""
        mean_colour = crops.mean(axis=(1, 2), dtype=np.float32)  # (N, 3)
        brightness: FloatArray = mean_colour @ LUMA[:, None]
        return brightness
