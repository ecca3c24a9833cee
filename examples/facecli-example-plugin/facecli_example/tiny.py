"""A recipe: how the weights of a PyTorch network of one's own become a recognizer that facecli runs.

`facecli export example-tiny --weights tiny.pth` converts them, proves that the ONNX file agrees with the network, and
installs it as the model `example-tiny`. The network is small and of no use; copy the shape, and put yours here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from facecli.contract import (
    CropSpec,
    ExportPart,
    ExportRecipe,
    ModelSpec,
    OperatingPoint,
    Preprocessing,
    hookimpl,
)
from facecli.errors import ExportError
from facecli.types import FloatArray

NAME, SIDE, DIM = "example-tiny", 64, 32

# What facecli has to know to run the model, and what it writes into the ONNX file's metadata. There are no files: the
# export makes them.
MODEL = ModelSpec(
    id=NAME,
    kind="recognizer",
    summary="three convolutions, an example",
    files=(),
    licence="Apache-2.0",
    commercial_use=True,
    source="facecli-example-plugin",
    crop=CropSpec(SIDE, SIDE, template=((20, 24), (44, 24), (32, 36), (23, 48), (41, 48))),
    preprocessing=Preprocessing("RGB", mean=(127.5,), std=(128.0,)),
    dim=DIM,
    operating_point=OperatingPoint("cosine", 0.3, source="made up for an example: nothing was measured"),
)


def network() -> Any:
    """The torch.nn.Module, as it was trained: crops (N, 3, 64, 64) -> embeddings (N, 32)."""
    from torch import nn  # here, so that listing recipes stays quick

    layers: list[nn.Module] = []
    for channels, more in ((3, 16), (16, 24), (24, 32)):
        layers += [nn.Conv2d(channels, more, 3, stride=2, padding=1), nn.BatchNorm2d(more), nn.PReLU(more)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(32 * 4 * 4, DIM))


def build(weights: Path | None) -> tuple[ExportPart, ...]:
    """One part for each ONNX file. Raises ExportError for weights that are not this network's."""
    import torch

    if weights is None:
        raise ExportError(f"{NAME} needs its weights", hint="--weights FILE, the state_dict of its network()")
    model = network()
    try:
        # weights_only: a pickle from elsewhere must not run code.
        model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except Exception as error:  # torch's errors share no base class
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ExportError(f"{weights.name} is no state of {NAME}: {reason}") from error
    part = ExportPart(
        file=f"{NAME}.onnx",
        module=model.eval(),
        input_names=("crops",),
        output_names=("embeddings",),
        sample=_crops,
        dynamic_axes={"crops": {0: "batch"}},
        output_axes={"embeddings": {0: "batch"}},
        source=weights,
    )
    return (part,)


def _crops(batch: int, _variant: int) -> tuple[FloatArray]:
    """Random inputs for the proof, the same ones every time; real crops come from facecli, by MODEL's crop."""
    pixels = np.random.default_rng(batch).integers(0, 256, (batch, 3, SIDE, SIDE))
    return (((pixels - 127.5) / 128).astype(np.float32),)


@hookimpl
def facecli_export_recipes() -> Iterable[ExportRecipe]:
    """Describe the recipe; torch is imported when somebody runs it."""
    yield ExportRecipe(
        name=NAME,
        summary="three convolutions; shows how to bring weights of your own",
        model=NAME,
        build=build,
        default_weights=None,
        licence="Apache-2.0",
        spec=MODEL,
    )
