"""Convert a network's weights and arithmetic to float16; its inputs and outputs stay float32.

The converter is ONNX Runtime's. onnxconverter-common has an older state of it, and pins a protobuf that is too old for
onnx.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

STEP = "float16 by onnxruntime.transformers.float16"


def convert(source: Path) -> onnx.ModelProto:
    """Return the float32 model of a file with weights and arithmetic in float16."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    model: onnx.ModelProto = convert_float_to_float16(onnx.load(source), keep_io_types=True)
    OnnxModel(model).topological_sort()  # the converter appends its casts behind the nodes that read them
    return model
