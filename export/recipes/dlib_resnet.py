"""Recipe `dlib-resnet`: dlib's face recognition network from the file in face_recognition_models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.export.weights.source import packaged, require_sha256

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = "models/dlib_face_recognition_resnet_model_v1.dat"
SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
SIDE = 150
# dlib's input layer input_rgb_image_sized: (RGB - mean) / 256.
MEAN, STD = (122.782, 117.001, 104.298), 256.0


def build(weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network from a .dat file, by default from the one in the installed face_recognition_models."""
    from facecli.export.networks.dlib_resnet import build_network
    from facecli.export.weights.dlib_file import read_layers

    source = weights or packaged("face_recognition_models", FILE, "face_recognition_models")
    if weights is None:
        require_sha256(source, SHA256)
    part = ExportPart(
        file="dlib_resnet.onnx",
        module=build_network(read_layers(source)),
        input_names=("crops",),
        output_names=("embeddings",),
        sample=_crops,
        dynamic_axes={"crops": {0: "batch"}},
        output_axes={"embeddings": {0: "batch"}},
        source=source,
    )
    return (part,)


def _crops(batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    import numpy as np

    pixels = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, SIDE, SIDE, 3))
    return (((pixels - np.array(MEAN)) / STD).astype(np.float32).transpose(0, 3, 1, 2).copy(),)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return the one recipe."""
    return [
        ExportRecipe(
            name="dlib-resnet",
            summary="dlib's ResNet-29 face recognition network, read from its .dat file",
            model="dlib-resnet",
            build=build,
            default_weights="the .dat file in the installed face_recognition_models 0.3.0",
            licence="CC0-1.0",
        )
    ]
