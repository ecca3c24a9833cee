"""Recipes `emotion` and `attribute`: networks trained with the commands of facecli.models.training."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.errors import ExportError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# facecli's own emotion model: its id, its file, and its outputs.
MODEL, FILE = "emotion/facecli-resnet", "emotion_facecli_resnet.onnx"
OUTPUTS = ("probabilities", "fer2013", "ferplus")
# The largest absolute difference of probabilities; of a mean of values, as a part of the largest value.
TOLERANCE = 1e-5
# Recipe -> the command that makes its weights.
TRAINING = {
    "emotion": "python -m facecli.models.training.emotion --data FACES.npz --out FOLDER",
    "attribute": "python -m facecli.models.training.attribute --data FACES.npz --out FOLDER --config TOML",
}


def build(command: str, file: str, weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network with its calibrated temperature, from the file that a training command wrote.

    command: "emotion" or "attribute". file: the name of the ONNX file. Raises ExportError without weights, or for an
    emotion model with other outputs.
    """
    if weights is None:
        hint = f"{{weights}} {command}.pt, from {TRAINING[command]}"
        raise ExportError(f"the {command} network's weights come in no package", hint=hint, about="weights")
    from facecli.models.training import published

    network = published.read(weights)
    answer = network.answer
    if command == "emotion" and answer.outputs != OUTPUTS:
        hint = "facecli export attribute"
        raise ExportError(
            f"{weights} answers {', '.join(answer.outputs)}, the emotion model {', '.join(OUTPUTS)}", hint=hint
        )
    part = ExportPart(
        file=file,
        module=network,
        input_names=("crops",),
        output_names=answer.outputs,
        sample=partial(_crops, (network.network.inputs, network.side, network.side)),
        dynamic_axes={"crops": {0: "batch"}},
        output_axes={name: {0: "batch"} for name in answer.outputs},
        tolerance=TOLERANCE * max(map(abs, answer.values), default=1.0),
        task="values" if answer.values else "classification",
        source=weights,
    )
    return (part,)


def _crops(shape: tuple[int, int, int], batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    import numpy as np

    pixels = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, *shape))
    return ((pixels / 127.5 - 1).astype(np.float32),)


@hookimpl
def facecli_export_recipes(name: str) -> list[ExportRecipe]:
    """Return the recipe of this name: facecli's own emotion model, or any attribute model that was trained."""
    emotion = name == "emotion"
    return [
        ExportRecipe(
            name=name,
            summary=f"{'our own seven emotions' if emotion else 'an attribute of your own'}, trained with facecli",
            model=MODEL if emotion else name,
            build=partial(build, name, FILE if emotion else f"{name}.onnx"),
            default_weights=None,
            licence="Apache-2.0" if emotion else "that of the data",
        )
    ]
