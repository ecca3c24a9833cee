"""A recognizer that carries its ONNX model in the package: an 8x8 thumbnail of the crop, projected to 32 numbers.

It tells light from dark and left from right, not people. Copy the shape, and put your network where the file is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from facecli.contract import (
    CropSpec,
    ModelFile,
    ModelSpec,
    OperatingPoint,
    Parameters,
    RecognizerPlugin,
    Runtime,
    Session,
    hookimpl,
)
from facecli.types import FloatArray, UInt8Array

DIM = 32

# facecli cuts the crop: 64x64 px, with the landmarks as near as can be to these points (x, y in crop pixels).
CROP = CropSpec(64, 64, template=((20, 24), (44, 24), (32, 36), (23, 48), (41, 48)))

# Everything about the model is stated, nothing is guessed from the file. With `path`, the file is one that the package
# carries; without it, facecli would fetch it from `urls`. Either way its sha256 is what makes it this model: it is
# stored beside every embedding, and embeddings of different models are never compared.
MODEL = ModelSpec(
    id="example-thumbnail",
    kind="recognizer",
    summary="8x8 thumbnail, projected and normalised",
    files=(
        ModelFile(
            name="thumbnail.onnx",
            sha256="2e2870e8be5634b656d25460b2b02417e9b6fc4c83d3ffdea89351b05d57e06f",
            size=25220,
            path=Path(__file__).with_name("thumbnail.onnx"),
        ),
    ),
    licence="Apache-2.0",
    commercial_use=True,
    source="made by make_model.py of this example",
    training_data="none: the projection is random",
)

# Where "same person" begins. A real recognizer states where its threshold comes from and what it was measured on.
OPERATING_POINT = OperatingPoint(metric="cosine", threshold=0.1, source="made up for an example: nothing was measured")


@hookimpl
def facecli_recognizers() -> Iterable[RecognizerPlugin]:
    """Describe the recognizer; the model is loaded when somebody asks for it."""
    yield RecognizerPlugin(
        name="example-thumbnail",
        summary="an 8x8 thumbnail as embedding; shows how to carry a model, recognizes nobody",
        load=_load,
        crop=CROP,
        dim=DIM,
        normalized=True,  # the graph ends in an L2 normalisation
        operating_point=OPERATING_POINT,
        models=(MODEL,),
    )


def _load(runtime: Runtime, _parameters: Parameters) -> ThumbnailRecognizer:
    # The session runs on the device that the user asked for. A plugin never imports onnxruntime itself.
    return ThumbnailRecognizer(runtime.session(MODEL.id))


class ThumbnailRecognizer:
    """Embeds crops; the graph takes them as they are, uint8 RGB."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def embed(self, crops: UInt8Array) -> FloatArray:
        """(N, 64, 64, 3) uint8 RGB crops -> (N, 32) float32 of length 1; N may be 0."""
        if not len(crops):  # not every operator takes an empty batch
            return np.zeros((0, DIM), np.float32)
        embeddings: FloatArray = self._session.run({"crops": crops})["embeddings"]
        return embeddings
