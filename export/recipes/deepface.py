"""Recipes for the Keras weights that deepface publishes: six recognizers and four attribute models."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.errors import ExportError, first_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from facecli.export.weights.keras_file import Weights

MODELS = "https://github.com/serengil/deepface_models/releases/download/v1.0/"


class Network(NamedTuple):
    """A network of deepface, and its recipe.

    recipe, model: names. module: makes the torch module from the layers' weights. shape: channels, height and width of
    the input. output: its name. published: the address of the weights file. tolerance: the largest absolute difference
    of the output.
    """

    recipe: str
    model: str
    summary: str
    module: Callable[[dict[str, Weights]], nn.Module]
    shape: tuple[int, int, int]
    output: str
    published: str
    licence: str
    tolerance: float = 1e-4


def _vgg_face(layers: dict[str, Weights]) -> nn.Module:
    from facecli.export.networks.keras.vgg_face import Descriptor

    return Descriptor(layers)


def _head(classes: int, layers: dict[str, Weights], *, years: bool = False) -> nn.Module:
    from facecli.export.networks.keras.vgg_face import Classifier

    return Classifier(layers, classes, years=years)


def _openface(layers: dict[str, Weights]) -> nn.Module:
    from facecli.export.networks.keras.openface import OpenFace

    return OpenFace(layers)


def _facenet(dim: int, layers: dict[str, Weights]) -> nn.Module:
    from facecli.export.networks.keras.inception_resnet import InceptionResNetV1

    network = InceptionResNetV1(layers)
    if network.dim != dim:
        raise ExportError(f"this network's embeddings have {network.dim} values, not {dim}")
    return network


def _deepid(layers: dict[str, Weights]) -> nn.Module:
    from facecli.export.networks.keras.chains import DeepId

    return DeepId(layers)


def _emotion(layers: dict[str, Weights]) -> nn.Module:
    from facecli.export.networks.keras.chains import Expression

    return Expression(layers)


def _deepface(layers: dict[str, Weights]) -> nn.Module:
    from facecli.export.networks.keras.chains import DeepFace

    return DeepFace(layers)


SWGHOSH = "https://github.com/swghosh/DeepFace/releases/download/weights-vggface2-2d-aligned/"
VGG_LICENCE = "CC BY-NC 4.0 (VGG-Face)"
VGG_SHAPE = (3, 224, 224)
NETWORKS = (
    *(
        Network(
            f"facenet{dim}",
            f"facenet{dim}",
            f"FaceNet with {dim} dimensions",
            partial(_facenet, dim),
            (3, 160, 160),
            "embeddings",
            f"{MODELS}{file}",
            "MIT",
        )
        for dim, file in ((128, "facenet_weights.h5"), (512, "facenet512_weights.h5"))
    ),
    Network(
        "openface",
        "openface",
        "OpenFace nn4.small2",
        _openface,
        (3, 96, 96),
        "embeddings",
        f"{MODELS}openface_weights.h5",
        "Apache-2.0",
    ),
    Network(
        "deepid", "deepid", "DeepID", _deepid, (3, 55, 47), "embeddings", f"{MODELS}deepid_keras_weights.h5", "MIT"
    ),
    Network(
        "vgg-face",
        "vgg-face",
        "VGG-Face's descriptor",
        _vgg_face,
        VGG_SHAPE,
        "embeddings",
        f"{MODELS}vgg_face_weights.h5",
        VGG_LICENCE,
    ),
    Network(
        "deepface",
        "deepface",
        "Facebook's DeepFace",
        _deepface,
        (3, 152, 152),
        "embeddings",
        f"{SWGHOSH}VGGFace2_DeepFace_weights_val-0.9034.h5.zip, unpacked",
        "MIT",
    ),
    Network(
        "deepface-emotion",
        "emotion/deepface",
        "deepface's emotion network",
        _emotion,
        (1, 224, 224),
        "probabilities",
        f"{MODELS}facial_expression_model_weights.h5",
        "MIT",
    ),
    Network(
        "deepface-age",
        "age/deepface",
        "deepface's age head",
        partial(_head, 101, years=True),
        VGG_SHAPE,
        "years",
        f"{MODELS}age_model_weights.h5",
        VGG_LICENCE,
        1e-3,
    ),
    Network(
        "deepface-gender",
        "gender/deepface",
        "deepface's gender head",
        partial(_head, 2),
        VGG_SHAPE,
        "probabilities",
        f"{MODELS}gender_model_weights.h5",
        VGG_LICENCE,
    ),
    Network(
        "deepface-race",
        "race/deepface",
        "deepface's race head",
        partial(_head, 6),
        VGG_SHAPE,
        "probabilities",
        f"{MODELS}race_model_single_batch.h5",
        VGG_LICENCE,
    ),
)


def build(network: Network, weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network with weights of a Keras HDF5 file. Raises ExportError if there is none or it does not fit."""
    from facecli.export.weights.keras_file import read_weights

    if weights is None:
        hint = f"{{weights}} FILE: {network.published}"
        raise ExportError(f"{network.recipe}'s weights come in no package", hint=hint, about="weights")
    layers = read_weights(weights)
    try:
        module = network.module(layers).eval()
    except (ValueError, IndexError, RuntimeError) as error:
        raise ExportError(f"{weights} has no weights of {network.summary}: {first_line(error)}") from error
    part = ExportPart(
        file=f"{network.recipe}.onnx",
        module=module,
        input_names=("crops",),
        output_names=(network.output,),
        sample=partial(_crops, network.shape),
        dynamic_axes={"crops": {0: "batch"}},
        output_axes={network.output: {0: "batch"}},
        source=weights,
        tolerance=network.tolerance,
    )
    return (part,)


def _crops(shape: tuple[int, int, int], batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    import numpy as np

    return ((np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, *shape)) / 255).astype(np.float32),)


@hookimpl
def facecli_export_recipes(name: str) -> list[ExportRecipe]:
    """Return the recipe of this name."""
    return [
        ExportRecipe(
            name=network.recipe,
            summary=f"{network.summary}, from deepface's Keras weights",
            model=network.model,
            build=partial(build, network),
            default_weights=None,
            licence=network.licence,
        )
        for network in NETWORKS
        if network.recipe == name
    ]
