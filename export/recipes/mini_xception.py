"""Recipe `mini-xception`: the emotion network of oarriaga/face_classification, from its Keras HDF5 file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.errors import ExportError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE = 64
# FER2013's: angry, disgust, fear, happy, sad, surprise, neutral.
CLASSES = 7


def build(weights: Path | None) -> tuple[ExportPart, ...]:
    """The network, from a Keras HDF5 file."""
    from facecli.export.keras_file import read_layers
    from facecli.export.mini_xception import MiniXception

    if weights is None:
        where = "fer2013_mini_XCEPTION.102-0.66.hdf5 of github.com/oarriaga/face_classification"
        raise ExportError("mini-xception's weights come in no package", hint=f"--weights FILE, such as {where}")
    network = MiniXception(read_layers(weights)).eval()
    if network.classes != CLASSES:
        raise ExportError(f"{weights} tells {network.classes} classes apart, emotions are {CLASSES}")
    part = ExportPart(
        file="mini_xception.onnx",
        module=network,
        input_names=("crops",),
        output_names=("probabilities",),
        sample=_crops,
        dynamic_axes={"crops": {0: "batch"}},
        source=weights,
    )
    return (part,)


def _crops(batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    import numpy as np

    pixels = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, 1, SIDE, SIDE))
    return ((pixels / 127.5 - 1).astype(np.float32),)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """The one recipe of this file."""
    return [
        ExportRecipe(
            name="mini-xception",
            summary="mini-Xception's seven emotions, from Keras HDF5 weights",
            model="emotion/mini-xception",
            build=build,
            default_weights=None,
            licence="MIT",
        )
    ]
