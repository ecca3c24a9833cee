"""Makes facecli_example/thumbnail.onnx: crops (N, 64, 64, 3) uint8 -> embeddings (N, 32) float32 of length 1.

Run `python make_model.py` (needs `onnx`), then put the sha256 and size that it prints into thumbnail.py.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

SIDE, POOLED, DIM = 64, 8, 32
TARGET = Path(__file__).parent / "facecli_example" / "thumbnail.onnx"


def make() -> ModelProto:
    """The model, the same bytes every time."""
    rows = 3 * POOLED * POOLED
    signs = np.random.default_rng(0).integers(0, 2, (rows, DIM)) * 2 - 1
    projection = (signs / np.sqrt(rows)).astype(np.float32)  # random signs nearly keep the distances between thumbnails
    # A grey crop would be the zero vector, which has no direction; the first number keeps it away from there.
    bias = np.eye(1, DIM, dtype=np.float32)[0]
    nodes = [
        helper.make_node("Cast", ["crops"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["values", "middle"], ["centred"]),
        helper.make_node("Div", ["centred", "middle"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["channels_first"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "projection", "bias"], ["projected"]),
        helper.make_node("LpNormalization", ["projected"], ["embeddings"], axis=1, p=2),
    ]
    constants = {"middle": np.array(127.5, np.float32), "projection": projection, "bias": bias}
    graph = helper.make_graph(
        nodes,
        "thumbnail",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", DIM])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    # An older opset and IR version than the newest, so that older releases of ONNX Runtime can read the file.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    content = make().SerializeToString(deterministic=True)
    TARGET.write_bytes(content)
    print(f"{TARGET.name}: sha256 {hashlib.sha256(content).hexdigest()}, size {len(content)}")  # noqa: T201 - a script
