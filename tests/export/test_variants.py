"""float16, int8, simplified graphs and ORT files: each proved, each what it says it is."""

import json
from collections import Counter

import numpy as np
import pytest

from facecli.errors import ExportError, UsageError
from facecli.export.proof import samples
from facecli.export.target import Target


def export(recipe, folder, target):
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe

    return export_recipe(ExportRequest(recipe=recipe, target=target), folder)


def many(spec):
    """Enough faces for a calibration: the sample faces, each a little brighter than before."""
    crops = samples.crops(spec).astype(np.int16)
    return np.concatenate([(crops + 6 * step).clip(0, 255).astype(np.uint8) for step in range(4)])


def graph(path):
    import onnx

    return onnx.load(path).graph


def test_fp16_keeps_float32_at_its_ends(crop_recipe, tmp_path):
    import onnx

    result = export(crop_recipe(), tmp_path, Target("fp16"))
    (file,) = result.files
    assert sorted(path.name for path in tmp_path.glob("small*")) == ["small.fp16.onnx", "small.fp16.report.json"]
    model = onnx.load(file.path)
    float32, float16 = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    assert {v.type.tensor_type.elem_type for v in (*model.graph.input, *model.graph.output)} == {float32}
    assert {tensor.data_type for tensor in model.graph.initializer} <= {float16, onnx.TensorProto.INT64}
    assert file.worst["embeddings"].meaning >= 0.9999
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert told["facecli.model"] == "small-fp16"
    point = json.loads(told["facecli.operating_point"])
    assert (point["fmr"], point["by_fmr"]) == (None, [])  # they were measured on another file
    assert set(file.latency) == {"fp32", "fp16"}
    assert set(file.latency["fp16"]) == {"1", "8"}


def test_int8_is_calibrated_on_crops_and_smaller(crop_recipe, tmp_path):
    asked = []

    def calibration(spec):
        asked.append(spec)
        return many(spec)

    (file,) = export(crop_recipe(), tmp_path, Target("int8", calibration=calibration)).files
    assert [(spec.width, spec.template is not None) for spec in asked] == [(32, True)]
    kinds = Counter(node.op_type for node in graph(file.path).node)
    assert kinds["QuantizeLinear"] and kinds["DequantizeLinear"]
    scales = {node.input[1] for node in graph(file.path).node if node.op_type == "DequantizeLinear"}
    sizes = [list(tensor.dims) for tensor in graph(file.path).initializer if tensor.name in scales]
    assert [16] in sizes  # one per channel of a convolution
    assert 0.98 <= file.worst["embeddings"].meaning < 0.9999999
    assert "32 faces" in file.steps[-1]


def test_a_calibration_must_fit(crop_recipe, tmp_path):
    with pytest.raises(UsageError, match="int8 and a calibration belong together"):
        Target("int8")
    with pytest.raises(UsageError, match="int8 and a calibration belong together"):
        Target("fp16", calibration=many)
    with pytest.raises(ExportError, match="needs 32 faces, 31 were found"):
        export(crop_recipe(), tmp_path, Target("int8", calibration=lambda spec: many(spec)[:31]))
    assert list(tmp_path.glob("small*")) == []


def test_a_calibration_that_misleads_is_found_by_the_proof(crop_recipe, tmp_path):
    def black(spec):
        return np.zeros_like(many(spec))

    with pytest.raises(ExportError, match=r"small\.int8\.onnx: output 'embeddings': embeddings have a least cosine"):
        export(crop_recipe(), tmp_path, Target("int8", calibration=black))
    assert list(tmp_path.glob("small*")) == []


def test_int8_of_several_networks_is_refused(small_recipe, tmp_path):
    with pytest.raises(ExportError, match="int8 is for one network with one input"):
        export(small_recipe(), tmp_path, Target("int8", calibration=many))


def test_a_simplified_graph_has_fewer_nodes_and_standard_operators(crop_recipe, torch, tmp_path, monkeypatch):
    original = torch.onnx.export

    def plain(*args, **kwargs):  # torch folds much itself; what it leaves is for the optimizer
        return original(*args, **kwargs | ({"optimize": False} if kwargs["dynamo"] else {}))

    monkeypatch.setattr(torch.onnx, "export", plain)
    before = export(crop_recipe(), tmp_path / "a", Target()).files[0]
    after = export(crop_recipe(), tmp_path / "b", Target(optimize=True)).files[0]
    counts = [Counter(node.op_type for node in graph(file.path).node) for file in (before, after)]
    assert counts[0]["BatchNormalization"] == 1
    assert counts[1]["BatchNormalization"] == 0
    assert {node.domain for node in graph(after.path).node} == {""}
    assert after.steps == ("simplified by onnxruntime's offline optimizer, level basic",)


def test_an_ort_file_is_loaded_again_and_proved(crop_recipe, tmp_path):
    files = export(crop_recipe(), tmp_path, Target("fp16", ort=True)).files
    assert [(file.kind, file.path.name) for file in files] == [("fp16", "small.fp16.onnx"), ("ort", "small.fp16.ort")]
    assert (tmp_path / "small.fp16.ort").read_bytes()[4:8] == b"ORTM"
    assert files[1].worst["embeddings"].meaning >= 0.9999
    report = json.loads((tmp_path / "small.fp16.ort.report.json").read_text())
    assert report["kind"] == "ort"
    assert set(report["latency_ms"]) == {"fp32", "ort"}
