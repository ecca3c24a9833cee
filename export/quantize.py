"""int8 by static quantization: what each layer's values range over is seen on the user's own faces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.contract import ExportPart
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


def convert(source: Path, target: Path, part: ExportPart, inputs: FloatArray) -> None:
    """Write the float32 model `source` to `target`, quantized; inputs: the calibration's, as the model wants them.

    Activations are uint8, because the CPUs' instructions (AVX512-VNNI, AVX-VNNI, AMX) multiply uint8 by int8: with
    int8 activations the same network ran 4.7 times as long (docs/benchmarks.md).
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    from facecli.export.clean import tidy

    facts = {entry.key: entry.value for entry in onnx.load(source, load_external_data=False).metadata_props}
    with TemporaryDirectory() as folder:
        prepared, made = Path(folder) / "prepared.onnx", Path(folder) / "made.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        reader: Any = Crops(part.input_names[0], inputs)
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
    tidy(model, part, facts | {"facecli.precision": "int8", "facecli.calibration_faces": str(len(inputs))})
    target.write_bytes(model.SerializeToString(deterministic=True))
