"""int8 by static quantization: what each layer's values range over is seen on the user's own faces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx

    from facecli.types import FloatArray

AT_ONCE = 8  # crops in one run of the calibration
STEP = "int8 by onnxruntime.quantization: QDQ, per channel, uint8 activations, int8 weights, min-max"


class Crops:
    """The calibration's inputs, as onnxruntime.quantization asks for them: one feed after the other, then None."""

    def __init__(self, name: str, inputs: FloatArray) -> None:
        self._feeds: Iterator[dict[str, FloatArray]] = iter(
            [{name: inputs[i : i + AT_ONCE]} for i in range(0, len(inputs), AT_ONCE)]
        )

    def get_next(self) -> dict[str, FloatArray] | None:
        """The next feed."""
        return next(self._feeds, None)


def convert(source: Path, name: str, inputs: FloatArray) -> onnx.ModelProto:
    """The float32 model in a file, quantized. inputs: the calibration's, as the model wants them at its input `name`.

    Activations are uint8, because the CPUs' instructions (AVX512-VNNI, AVX-VNNI, AMX) multiply uint8 by int8: with
    int8 activations the same network ran twice as long (docs/benchmarks.md).
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    from facecli.export.clean import compact

    with TemporaryDirectory() as folder:
        prepared, made = Path(folder) / "prepared.onnx", Path(folder) / "made.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        reader: Any = Crops(name, inputs)
        quantize_static(
            str(prepared),
            str(made),
            reader,
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        model = onnx.load(made)
    model.graph.ClearField("value_info")
    compact(model)
    return model
