"""The part that recipes of one kind share: a network from crops to one output, and its PyTorch state."""

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
    """A published network: what it is called, what it takes, and where its weights are from.

    name: of recipe and model; the file is NAME.onnx. build: makes the torch.nn.Module. height, width: of the crops in
    px. mean, std: of all channels or of each; the input is (pixels - mean) / std. spare: top-level names in the state
    that are not needed. weights: the file that users need, for the hint. exported: module -> the same function in
    another form, to be exported in its place.
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
        """The recipe; it wants a file with the weights."""
        return ExportRecipe(
            name=self.name,
            summary=self.summary,
            model=self.name,
            build=self.parts,
            default_weights=None,
            licence=self.licence,
        )

    def parts(self, weights: Path | None) -> tuple[ExportPart, ...]:
        """The one network with the weights of a file."""
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
        """Random crops (batch, 3, height, width) as the network wants them."""
        import numpy as np

        pixels = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, 3, self.height, self.width))
        mean, std = (np.reshape(values, (-1, 1, 1)) for values in (self.mean, self.std))
        return (((pixels - mean) / std).astype(np.float32),)


def _run(network: Any, crops: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    import torch

    with torch.inference_mode():
        return (network(torch.from_numpy(crops)).numpy(),)
