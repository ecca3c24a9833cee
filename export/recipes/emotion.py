"""Recipe `emotion`: our own emotion network, from the file that `python -m facecli.models.training.emotion` writes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.errors import ExportError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def build(weights: Path | None) -> tuple[ExportPart, ...]:
    """The network with its temperature, from a training's result."""
    if weights is None:
        made = "python -m facecli.models.training.emotion --data fer2013.npz --out FOLDER"
        raise ExportError("the emotion network's weights come in no package", hint=f"--weights emotion.pt, from {made}")
    from facecli.models.training import published

    network, side = published.read(weights)
    part = ExportPart(
        file="emotion_facecli_resnet.onnx",
        module=network,
        input_names=("crops",),
        output_names=published.OUTPUTS,
        sample=partial(_crops, side),
        dynamic_axes={"crops": {0: "batch"}},
        output_axes={name: {0: "batch"} for name in published.OUTPUTS},
        source=weights,
    )
    return (part,)


def _crops(side: int, batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    import numpy as np

    pixels = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, 1, side, side))
    return ((pixels / 127.5 - 1).astype(np.float32),)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """The one recipe of this file."""
    return [
        ExportRecipe(
            name="emotion",
            summary="our own seven emotions, from a training of facecli.models.training.emotion",
            model="emotion/facecli-resnet",
            build=build,
            default_weights=None,
            licence="Apache-2.0",
        )
    ]
