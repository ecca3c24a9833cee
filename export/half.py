"""float16 inside, float32 at the inputs and outputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facecli.contract import ExportPart

# onnxconverter-common has the same converter in an older state, and pins protobuf, which onnx wants newer.
STEP = "float16 by onnxruntime.transformers.float16"


def convert(source: Path, target: Path, part: ExportPart) -> None:
    """Write the float32 model `source` to `target` with weights and arithmetic in float16."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    from facecli.export.clean import tidy

    model = onnx.load(source)
    facts = {entry.key: entry.value for entry in model.metadata_props}
    made = convert_float_to_float16(model, keep_io_types=True)
    OnnxModel(made).topological_sort()  # the converter appends its casts behind the nodes that read them
    tidy(made, part, facts | {"facecli.precision": "fp16"})
    target.write_bytes(made.SerializeToString(deterministic=True))
