"""The shared part of recipes for published networks from face crops to one output, with a PyTorch state as weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.contract import ExportPart, ExportRecipe, Task
from facecli.export.weights.source import named

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CropNetwork:
    """A published network: its names, its input, its output, and the file of its weights.

    name: of the recipe and the model; the exported file is NAME.onnx. build: makes the torch.nn.Module. height, width:
    of the crops, in px. mean, std: of all channels or of each; the input is (pixels - mean) / std. weights: the
    published file, for the hint. spare: top-level names in the state that the module does not have. tolerance: the
    largest absolute difference of the output. exported: makes the module to export, of the same function in a faster
    form; the original remains the reference of the proof.
    """

    name: str
    summary: str
    build: Callable[[], Any]
    height: int
    width: int
    mean: float | tuple[float, float, float]
    std: float | tuple[float, float, float]
    output: str
    task: Task
    licence: str
    weights: str
    spare: tuple[str, ...] = ()
    tolerance: float = 1e-5
    exported: Callable[[Any], Any] | None = None

    def recipe(self) -> ExportRecipe:
        """Return the recipe; it has no default weights."""
        return ExportRecipe(
            name=self.name,
            summary=self.summary,
            model=self.name,
            build=self.parts,
            default_weights=None,
            licence=self.licence,
        )

    def parts(self, weights: Path | None) -> tuple[ExportPart, ...]:
        """Return the one network with the weights of a file. Raises ExportError if there is none or it does not fit."""
        from facecli.export.weights.state import load_state

        weights = named(weights, self.name, self.weights)
        plain = self.build().eval()
        notes = load_state(plain, weights, spare=self.spare)
        part = ExportPart(
            file=f"{self.name}.onnx",
            module=plain if self.exported is None else self.exported(plain).eval(),
            input_names=("crops",),
            output_names=(self.output,),
            sample=self.sample,
            dynamic_axes={"crops": {0: "batch"}},
            output_axes={self.output: {0: "batch"}},
            source=weights,
            tolerance=self.tolerance,
            reference=None if self.exported is None else partial(_run, plain),
            task=self.task,
            notes=notes,
        )
        return (part,)

    def sample(self, batch: int, variant: int) -> tuple[NDArray[np.float32]]:
        """Return random crops (batch, 3, height, width) float32, normalised for the network."""
        import numpy as np

        pixels = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, 3, self.height, self.width))
        mean, std = (np.reshape(values, (-1, 1, 1)) for values in (self.mean, self.std))
        return (((pixels - mean) / std).astype(np.float32),)


def _run(network: Any, crops: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    import torch

    with torch.inference_mode():
        return (network(torch.from_numpy(crops)).numpy(),)
