"""The contract of an export recipe: a plugin that turns somebody's weights into networks that facecli exports to ONNX.

facecli converts each network, proves that the ONNX file agrees with it, and installs the file as a model.
"""

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

    from facecli.types import Detections, Image


# A network's first output: (N, dim) embeddings, (N, classes) scores, or values that have no further meaning.
Task = Literal["embedding", "classification", "values"]
Precision = Literal["fp32", "fp16", "int8"]  # of weights and arithmetic


@dataclass(frozen=True, slots=True)
class ExportPart:
    """One network of a recipe, ready to be exported to one ONNX file.

    file: the ONNX file's name. module: a torch.nn.Module in eval mode; or an onnx.ModelProto, made of a published ONNX
        file, with a `reference` that runs that file.
    input_names, output_names: of the ONNX file, in the order of the module's arguments and results.
    sample: (batch, variant) -> the inputs of the module, float32 arrays that are equal in every call. Variant 0 has the
        size to trace with; 1 and 2 have other sizes, if height or width is dynamic.
    dynamic_axes: input name -> {axis: name} for axes of any length. output_axes: likewise for outputs; None takes the
        axes whose length changes in the module.
    source: the file of the weights. notes: what was done to its content to get the weights (unwrapped, renamed, left
        out), one clause each.
    tolerance: the largest absolute difference that any value of an output may have.
    reference: another implementation, arrays -> arrays, that the ONNX file is compared with instead of `module`; for a
        module that was written anew.
    precision: of the module as it is; the proof of a lower one than fp32 tolerates more.
    task, crop, preprocessing: default to the ModelSpec's. The proof uses them to cut real crops for the one input, and
        to compare what the output means: cosine of embeddings, likeliest class.
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
    precision: Precision = "fp32"


@dataclass(frozen=True, slots=True)
class DetectorPeer:
    """Another program that finds faces by a detector's source file: a witness of the network and of its decoding.

    name: the program's. detect: source file, picture -> the faces, with landmarks, that it finds in the picture's own
    size. sizes: px, the longer sides of the pictures that are compared. parameters: of the detector's plugin, those
    with which it does as the program does; `size` is set to each of the sizes. tolerance: px, the largest shift of a
    box's side or of a landmark.
    """

    name: str
    detect: Callable[[Path, Image], Detections]
    sizes: tuple[int, ...]
    parameters: Mapping[str, Any]
    tolerance: float


@dataclass(frozen=True, slots=True)
class ExportRecipe:
    """Describes how weights become the ONNX files of one model. Making one must be quick: `build` imports the rest.

    name: the name of the entry point, which users type. summary: one line for lists. model: the id of the model.
    build: file of the weights, or None for the default -> the networks. Raises ExportError for other weights.
    default_weights: where the default weights are from, for lists; None if the user must bring a file.
    licence: the licence of the weights. opset: of the ONNX files. api: leave it out.
    preprocessing_version: goes into the files' metadata if no Preprocessing is known.
    spec: the model's description, if the catalogue has none; it goes into the files' metadata.
    detector: for a detector's networks, the plugin that runs the files if its name is not the model's. The proof lets
        it find faces with the source networks and with the exported ones.
    needs: the packages that must be installed for `build` and the conversion.
    peer: for a detector of one network, another program that runs the source file; the proof compares its faces.
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
    needs: tuple[str, ...] = ("torch", "onnx", "onnxscript")
    peer: DetectorPeer | None = None
    api: int = API_VERSION
