"""Recipes `emotion` and `attribute`: networks from the files that the commands of facecli.models.training write."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.errors import ExportError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OURS, _FILE = "emotion/facecli-resnet", "emotion_facecli_resnet.onnx"
_EMOTION = ("probabilities", "fer2013", "ferplus")
# The largest absolute difference allowed to probabilities; to a mean of values, in parts of the largest of them.
_TOLERANCE = 1e-5


def build(command: str, file: str, weights: Path | None) -> tuple[ExportPart, ...]:
    """The network with its temperature, from the result of `command`."""
    if weights is None:
        recipe = "" if command == "emotion" else " --config TOML"
        made = f"python -m facecli.models.training.{command} --data FACES.npz --out FOLDER{recipe}"
        hint = f"--weights {command}.pt, from {made}"
        raise ExportError(f"the {command} network's weights come in no package", hint=hint)
    from facecli.models.training import published

    network = published.read(weights)
    answer = network.answer
    if command == "emotion" and answer.outputs != _EMOTION:
        hint = "facecli export attribute"
        raise ExportError(
            f"{weights} answers {', '.join(answer.outputs)}, the emotion model {', '.join(_EMOTION)}", hint=hint
        )
    part = ExportPart(
        file=file,
        module=network,
        input_names=("crops",),
        output_names=answer.outputs,
        sample=partial(_crops, (network.network.inputs, network.side, network.side)),
        dynamic_axes={"crops": {0: "batch"}},
        output_axes={name: {0: "batch"} for name in answer.outputs},
        tolerance=_TOLERANCE * max(map(abs, answer.values), default=1.0),
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
    """Ours of the emotions, or the one for whatever else was trained."""
    ours = name == "emotion"
    return [
        ExportRecipe(
            name=name,
            summary=f"{'our own seven emotions' if ours else 'an attribute of your own'}, trained with facecli",
            model=OURS if ours else name,
            build=partial(build, name, _FILE if ours else f"{name}.onnx"),
            default_weights=None,
            licence="Apache-2.0" if ours else "that of the data",
        )
    ]
