"""Recipes `mini-xception`, `gender-mini-xception`: networks of oarriaga/face_classification, from Keras HDF5 files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.errors import ExportError
from facecli.export.weights.source import named

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE = 64


def build_emotion(weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network of FER2013's seven classes, from a Keras HDF5 file."""
    return _build(weights, "mini-xception", 7, "fer2013_mini_XCEPTION.102-0.66.hdf5")


def build_gender(weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network of IMDB's two classes, woman and man, from a Keras HDF5 file."""
    return _build(weights, "gender-mini-xception", 2, "gender_mini_XCEPTION.21-0.95.hdf5")


def _build(weights: Path | None, recipe: str, classes: int, published: str) -> tuple[ExportPart, ...]:
    from facecli.export.networks.mini_xception import MiniXception
    from facecli.export.weights.keras_file import read_layers

    weights = named(weights, recipe, f"{published} of github.com/oarriaga/face_classification")
    network = MiniXception(read_layers(weights)).eval()
    if network.classes != classes:
        raise ExportError(f"{weights} tells {network.classes} classes apart, this recipe {classes}")
    part = ExportPart(
        file=f"{recipe.replace('-', '_')}.onnx",
        module=network,
        input_names=("crops",),
        output_names=("probabilities",),
        sample=_crops,
        dynamic_axes={"crops": {0: "batch"}},
        output_axes={"probabilities": {0: "batch"}},
        source=weights,
    )
    return (part,)


def _crops(batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    import numpy as np

    pixels = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, 1, SIDE, SIDE))
    return ((pixels / 127.5 - 1).astype(np.float32),)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return both recipes."""
    return [
        ExportRecipe(
            name="mini-xception",
            summary="mini-Xception's seven emotions, from Keras HDF5 weights",
            model="emotion/mini-xception",
            build=build_emotion,
            default_weights=None,
            licence="MIT",
        ),
        ExportRecipe(
            name="gender-mini-xception",
            summary="mini-Xception's two genders, from Keras HDF5 weights",
            model="gender/mini-xception",
            build=build_gender,
            default_weights=None,
            licence="MIT",
        ),
    ]
