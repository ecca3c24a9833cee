"""Recipes `emotion`, `traits` and `attribute`: networks trained with the commands of facecli.models.training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.errors import ExportError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Trained:
    """One kind of trained network.

    model: its id in the catalogue. file: the name of its ONNX file. command: makes the weights. outputs: their names;
    () permits any.
    """

    model: str
    file: str
    summary: str
    command: str
    outputs: tuple[str, ...] = ()
    licence: str = "Apache-2.0"


RECIPES = {
    "emotion": Trained(
        "emotion/facecli-resnet",
        "emotion_facecli_resnet.onnx",
        "our own seven emotions, trained with facecli",
        "python -m facecli.models.training.emotion --data FACES.npz --out FOLDER",
        ("probabilities", "fer2013", "ferplus"),
    ),
    "traits": Trained(
        "facecli-traits",
        "facecli_traits.onnx",
        "our own age, gender and race in one network, trained with facecli",
        "python -m facecli.models.training.fairface --data FACES.zip --out FOLDER",
        ("age", "gender", "race"),
    ),
    "attribute": Trained(
        "attribute",
        "attribute.onnx",
        "an attribute of your own, trained with facecli",
        "python -m facecli.models.training.attribute --data FACES.npz --out FOLDER --config TOML",
        licence="that of the data",
    ),
}
# The largest absolute difference of probabilities; of a mean of values, as a part of the largest value.
TOLERANCE = 1e-5


def build(name: str, weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network with its calibrated temperatures, from the file that a training command wrote.

    name: the recipe's. Raises ExportError without weights, or for a network with other outputs than the recipe's.
    """
    trained = RECIPES[name]
    if weights is None:
        task = trained.command.split()[2].rpartition(".")[2]
        hint = f"{{weights}} {task}.pt, from {trained.command}"
        raise ExportError(f"the {name} network's weights come in no package", hint=hint, about="weights")
    from facecli.models.training import published

    network = published.read(weights)
    answer = network.answer
    if trained.outputs and answer.outputs != trained.outputs:
        message = f"{weights} answers {', '.join(answer.outputs)}, the {name} model {', '.join(trained.outputs)}"
        raise ExportError(message, hint="facecli export attribute")
    part = ExportPart(
        file=trained.file,
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
    """Return the recipe of this name: one of facecli's own models, or any attribute model that was trained."""
    trained = RECIPES[name]
    return [
        ExportRecipe(
            name=name,
            summary=trained.summary,
            model=trained.model,
            build=partial(build, name),
            default_weights=None,
            licence=trained.licence,
        )
    ]
