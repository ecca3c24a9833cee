"""float16 inside, float32 at the inputs and outputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

# onnxconverter-common has the same converter in an older state, and pins protobuf, which onnx wants newer.
STEP = "float16 by onnxruntime.transformers.float16"


def convert(source: Path) -> onnx.ModelProto:
    """The float32 model in a file with weights and arithmetic in float16."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    made: onnx.ModelProto = convert_float_to_float16(onnx.load(source), keep_io_types=True)
    OnnxModel(made).topological_sort()  # the converter appends its casts behind the nodes that read them
    return made
