"""Simplify a graph, and write ONNX Runtime's own file format, both with ONNX Runtime's offline optimizer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facecli.errors import ExportError
from facecli.inference.libraries import FATAL, import_onnxruntime
from facecli.inference.reasons import reason_of
from facecli.models.disk.work import work_folder

if TYPE_CHECKING:
    import onnx

STEP = "simplified by onnxruntime's offline optimizer, level basic"
ORT_STEP = "ORT format, onnxruntime's optimizer, level extended"


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with constants folded and nodes fused, in ONNX's standard operators alone.

    The optimizer's basic level keeps to those operators, so the file runs everywhere. ONNX Runtime applies the higher
    levels when it loads the file, for the machine at hand. Raises ExportError if the optimizer fails.
    """
    import onnx

    onnxruntime = import_onnxruntime()
    with work_folder() as folder:
        before, after = folder / "before.onnx", folder / "after.onnx"
        onnx.save(model, before)
        _optimize(before, after, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC)
        simple = onnx.load(after)
    used = {node.domain for node in simple.graph.node}
    imports = [entry for entry in simple.opset_import if entry.domain in used | {""}]  # the optimizer lists all domains
    del simple.opset_import[:]
    simple.opset_import.extend(imports)
    return simple


def to_ort(source: Path, target: Path) -> None:
    """Write an ONNX file in ORT format, for builds of ONNX Runtime that read nothing else (mobile, minimal).

    The extended level has all optimizations that do not depend on the processor of the machine that makes the file.
    Raises ExportError if the optimizer fails.
    """
    onnxruntime = import_onnxruntime()
    _optimize(source, target, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED)


def _optimize(source: Path, target: Path, level: object) -> None:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(target)
    options.log_severity_level = FATAL
    if target.suffix == ".ort":
        options.add_session_config_entry("session.save_model_format", "ORT")
    try:
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class
        raise ExportError(f"{source.name} can not be optimized: {reason_of(error).text}") from error
