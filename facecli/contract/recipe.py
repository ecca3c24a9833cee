"""TODO: facecli.contract.recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from facecli.contract.crop import CropSpec, Preprocessing
from facecli.contract.hooks import API_VERSION
from facecli.contract.model import ModelSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Task = Literal["embedding", "classification", "values"]


@dataclass(frozen=True, slots=True)
class ExportPart:
    """One network of a recipe, ready to be exported to one ONNX file.

    module: a torch.nn.Module in eval mode. sample: (batch, variant) -> its positional inputs, always the same ones, as
    float32 arrays; variant 0 has the size to trace with, variants 1 and 2 other sizes where height or width is dynamic.
    dynamic_axes: input name -> {axis: name}. output_axes: the same of outputs; None: what changes in the source.
    tolerance: the largest absolute difference allowed to any output. source: the file that the weights are from.
    reference: arrays -> arrays by another implementation, where the original differs from the `module` exported.
    task: what the first output is, (N, dim) embeddings or (N, classes) scores, so that the proof holds for its meaning
    too (cosine, arg max); "values" has none. crop, preprocessing: how real crops become the one input.
    None for these three: what the model's ModelSpec says.
    notes: what was done to the file's content to get the weights (unwrapped, names changed, left out), one clause each.
    """

    file: str
    module: Any
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    sample: Callable[[int, int], tuple[NDArray[np.float32], ...]]
    dynamic_axes: Mapping[str, Mapping[int, str]]
    source: Path
    tolerance: float = 1e-5
    reference: Callable[..., tuple[NDArray[np.float32], ...]] | None = None
    task: Task | None = None
    crop: CropSpec | None = None
    preprocessing: Preprocessing | None = None
    notes: tuple[str, ...] = ()
    output_axes: Mapping[str, Mapping[int, str]] | None = None


@dataclass(frozen=True, slots=True)
class ExportRecipe:
    """How source weights become the ONNX files of one catalogue model.

    build: weights file, or None for the recipe's own default -> the networks. default_weights: what None stands for.
    spec: what is known about the model, for one that the catalogue does not have; it goes into the file's metadata.
    detector: of a detector, the plugin that runs these files, if it is not called like the model; the proof lets it
    find faces with the source networks and with the exported ones.
    """

    name: str
    summary: str
    model: str
    build: Callable[[Path | None], tuple[ExportPart, ...]]
    default_weights: str | None
    licence: str
    opset: int = 18
    preprocessing_version: int = 1
    spec: ModelSpec | None = None
    detector: str | None = None
    api: int = API_VERSION
