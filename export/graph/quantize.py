"""int8 by static quantization: what each layer's values range over is seen on the user's own faces or pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx

    from facecli.types import FloatArray

AT_ONCE = 8  # crops in one run of the calibration
STEP = "int8 by onnxruntime.quantization: QDQ, per channel, uint8 activations, int8 weights, min-max"
WEIGHTED = ("Conv", "Gemm", "MatMul")
Feeds = Mapping[str, "FloatArray"]


class Reader:
    """The calibration's inputs, as onnxruntime.quantization asks for them: one feed after the other, then None."""

    def __init__(self, feeds: Iterable[Feeds]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Feeds | None:
        """The next feed."""
        return next(self._feeds, None)


def feeds_of(name: str, inputs: FloatArray) -> list[Feeds]:
    """Many rows for the input `name`, some at a time."""
    return [{name: inputs[i : i + AT_ONCE]} for i in range(0, len(inputs), AT_ONCE)]


def convert(source: Path, feeds: Iterable[Feeds], *, float_ends: bool = False) -> onnx.ModelProto:
    """The float32 model in a file, quantized. feeds: the calibration's, input name -> array, as the model wants them.

    float_ends: keep the last layers before the outputs as they are: a detector's boxes are more than 256 values fine.
    Activations are uint8, because the CPUs' instructions (AVX512-VNNI, AVX-VNNI, AMX) multiply uint8 by int8: with
    int8 activations the same network ran twice as long (docs/benchmarks.md).
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    from facecli.export.graph.clean import compact

    with TemporaryDirectory() as folder:
        prepared, made = Path(folder) / "prepared.onnx", Path(folder) / "made.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        ends = _ends(prepared) if float_ends else []
        reader: Any = Reader(feeds)
        quantize_static(
            str(prepared),
            str(made),
            reader,
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_exclude=ends,
        )
        model = onnx.load(made)
    model.graph.ClearField("value_info")
    compact(model)
    return model


def _ends(path: Path) -> list[str]:
    """The names of the last layers with weights before each output, and of all that comes after them."""
    import onnx

    model = onnx.load(path)
    makers: dict[str, onnx.NodeProto] = {}
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"  # some have none
        makers |= dict.fromkeys(node.output, node)
    onnx.save(model, path)
    found: dict[str, None] = {}
    waiting = [output.name for output in model.graph.output]
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and maker.name not in found:
            found[maker.name] = None
            if maker.op_type not in WEIGHTED:
                waiting.extend(maker.input)
    return list(found)
