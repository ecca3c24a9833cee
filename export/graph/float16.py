"""Convert a network's weights and arithmetic to float16; its inputs and outputs stay float32.

The converter is ONNX Runtime's. onnxconverter-common has an older state of it, and pins a protobuf that is too old for
onnx.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facecli.inference.libraries import import_tools

if TYPE_CHECKING:
    import onnx

STEP = "float16 by onnxruntime.transformers.float16"


def convert(source: Path) -> onnx.ModelProto:
    """Return the float32 model of a file with weights and arithmetic in float16."""
    import onnx

    float16, onnx_model = import_tools("transformers.float16"), import_tools("transformers.onnx_model")
    model: onnx.ModelProto = float16.convert_float_to_float16(onnx.load(source), keep_io_types=True)
    onnx_model.OnnxModel(model).topological_sort()  # the converter appends its casts behind the nodes that read them
    return model
