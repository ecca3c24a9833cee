"""Quantize a network to int8; the range of each layer's values is measured on the user's own faces or pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.inference.libraries import import_tools
from facecli.models.disk.work import work_folder

if TYPE_CHECKING:
    import onnx

    from facecli.types import FloatArray

BATCH = 8  # crops in one run of the calibration
STEP = "int8 by onnxruntime.quantization: QDQ, per channel, uint8 activations, 7-bit weights, min-max"
WEIGHTED = ("Conv", "Gemm", "MatMul")  # operators of layers with weights
Feeds = Mapping[str, "FloatArray"]  # input name -> array, for one run


class Reader:
    """The calibration's inputs in the form that onnxruntime.quantization takes: one run after the other, then None."""

    def __init__(self, feeds: Iterable[Feeds]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Feeds | None:
        """Return the inputs of the next run; None after the last."""
        return next(self._feeds, None)


def feeds_of(name: str, inputs: FloatArray) -> list[Feeds]:
    """Split the rows of a network's only input, called `name`, into the inputs of several runs."""
    return [{name: inputs[i : i + BATCH]} for i in range(0, len(inputs), BATCH)]


def convert(source: Path, feeds: Iterable[Feeds], *, float_ends: bool = False) -> onnx.ModelProto:
    """Return the float32 model of a file, quantized. feeds: the inputs of the calibration's runs.

    float_ends: keep the last layers before the outputs in float32: a detector's boxes need more than 256 levels.
    Activations are uint8, because the CPUs' instructions (AVX512-VNNI, AVX-VNNI, AMX) multiply uint8 by int8: with
    int8 activations the same network ran twice as long (docs/benchmarks.md). Weights use 7 of the 8 bits: processors
    without those instructions add two products in 16 bits, which 8-bit weights overflow (onnxruntime.ai, "Quantize ONNX
    models", reduce_range), and a file must compute the same everywhere.
    """
    import onnx

    from facecli.export.graph.clean import compact

    tools, shapes = import_tools("quantization"), import_tools("quantization.shape_inference")
    with work_folder() as folder:
        prepared, quantized = folder / "prepared.onnx", folder / "quantized.onnx"
        shapes.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        ends = _ends(prepared) if float_ends else []
        reader: Any = Reader(feeds)
        tools.quantize_static(
            str(prepared),
            str(quantized),
            reader,
            quant_format=tools.QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
            calibrate_method=tools.CalibrationMethod.MinMax,
            nodes_to_exclude=ends,
        )
        model = onnx.load(quantized)
    model.graph.ClearField("value_info")
    compact(model)
    return model


def _ends(path: Path) -> list[str]:
    """Return the names of the nodes to keep in float32: each output's last layers with weights and all after them.

    Nodes without a name get one, in the file.
    """
    import onnx

    model = onnx.load(path)
    makers: dict[str, onnx.NodeProto] = {}
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
        makers |= dict.fromkeys(node.output, node)
    onnx.save(model, path)
    ends: dict[str, None] = {}
    waiting = [output.name for output in model.graph.output]
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and maker.name not in ends:
            ends[maker.name] = None
            if maker.op_type not in WEIGHTED:
                waiting.extend(maker.input)
    return list(ends)
