"""An export that does not agree with its source leaves no file and says what differs."""

import json

import pytest

from facecli.errors import ExportError


def export(recipe, folder):
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe

    return export_recipe(ExportRequest(recipe=recipe), folder)


def test_a_proved_export_writes_model_and_report(small_recipe, tmp_path, capsys):
    import onnx

    out = tmp_path / "out"
    result = export(small_recipe(), out)
    assert sorted(p.name for p in out.iterdir()) == ["p.onnx", "p.report.json", "r.onnx", "r.report.json"]
    assert capsys.readouterr().out == ""

    report = json.loads((out / "p.report.json").read_text())
    assert report["sha256"] == result.files[0].sha256
    assert {figure["inputs"][0][0] for figure in report["parity"]} == {1, 3, 8}
    assert len({tuple(figure["inputs"][0][2:]) for figure in report["parity"]}) == 3
    assert all(figure["max_difference"] <= report["tolerance"] for figure in report["parity"])
    assert report["versions"]["torch"]
    assert report["versions"]["onnx"]

    model = onnx.load(out / "p.onnx")
    assert {p.key: p.value for p in model.metadata_props}["facecli.source_sha256"] == result.files[0].source_sha256
    values = (*model.graph.input, *model.graph.output)
    shapes = {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
    assert shapes["pixels"] == ["batch", 3, "height", "width"]
    assert shapes["probability"] == ["batch", "probability_1", "probability_2"]


def test_two_exports_are_equal_and_name_no_place(small_recipe, tmp_path):
    export(small_recipe(), tmp_path / "a")
    export(small_recipe(), tmp_path / "b")
    for name in ("p.onnx", "r.onnx"):
        content = (tmp_path / "a" / name).read_bytes()
        assert content == (tmp_path / "b" / name).read_bytes()
        assert str(tmp_path).encode() not in content
        assert b"site-packages" not in content
        assert b".py" not in content


def test_a_changed_weight_is_found(small_recipe, tmp_path):
    def spoil(p, r):
        r.head.weight[1, 0] += 0.01

    out = tmp_path / "out"
    message = r"^r\.onnx: output 'regression' is [0-9.e-]+ from its source, the tolerance is 1e-05, for random input"
    with pytest.raises(ExportError, match=message):
        export(small_recipe(spoil), out)
    assert list(out.iterdir()) == []


def test_nan_is_a_disagreement(small_recipe, tmp_path):
    def spoil(p, r):
        p.head.bias[0] = float("nan")

    with pytest.raises(ExportError, match=r"p\.onnx: output 'probability' is nan"):
        export(small_recipe(spoil), tmp_path / "out")


def test_a_failed_export_keeps_the_old_files(small_recipe, tmp_path):
    export(small_recipe(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def spoil(p, r):
        r.head.bias += 1

    with pytest.raises(ExportError):
        export(small_recipe(spoil), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_names_and_axes_are_found(small_recipe, tmp_path):
    from dataclasses import replace

    from facecli.export.graph.clean import clean
    from facecli.export.graph.convert import convert
    from facecli.export.proof.cases import cases, input_meaning
    from facecli.export.proof.parity import check, prove
    from facecli.export.proof.tolerances import TOLERANCES

    part = small_recipe().build(None)[1]
    model, exporter = convert(part, 18)
    assert exporter == "torch.export"
    clean(model, part)
    path = tmp_path / "r.onnx"
    path.write_bytes(model.SerializeToString())
    inputs = cases(part, input_meaning(part, None))

    def proved(own):
        return prove(own, path, inputs, "values", TOLERANCES["fp32"])

    assert len(proved(part)) == 6  # two outputs at three batch sizes
    with pytest.raises(ExportError, match="has the outputs"):
        proved(replace(part, output_names=("score", "regression")))
    with pytest.raises(ExportError, match="free axes"):
        proved(replace(part, dynamic_axes={"pixels": {0: "batch", 2: "height"}}))
    check(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ExportError, match="not valid ONNX"):
        check(path)


def test_the_older_exporter_steps_in_and_the_report_says_so(small_recipe, torch, tmp_path, monkeypatch):
    original = torch.onnx.export

    def stubborn(*args, dynamo, **kwargs):
        if dynamo:
            raise RuntimeError("no can do\nand a long tale")
        return original(*args, dynamo=dynamo, **kwargs)

    monkeypatch.setattr(torch.onnx, "export", stubborn)
    result = export(small_recipe(), tmp_path)
    assert result.files[0].exporter == "torchscript: torch.export failed with no can do"


def test_a_missing_extra_is_one_line(small_recipe, tmp_path, monkeypatch):
    from facecli.export import run

    recipe = small_recipe()
    monkeypatch.setattr(run, "find_spec", lambda name: None if name == "onnx" else object())
    with pytest.raises(ExportError, match=r'needs onnx; pip install "facecli\[export\]"'):
        export(recipe, tmp_path)


def test_a_network_that_answers_the_same_to_everything_is_refused(crop_recipe, tmp_path):
    with pytest.raises(ExportError, match=r"small\.onnx gives the same answer to different inputs; are its weights"):
        export(crop_recipe(lambda module: module[-1].weight.zero_()), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_network_that_sees_the_whole_batch_is_refused(torch, crop_recipe, tmp_path):
    class LessTheMean(torch.nn.Module):
        def forward(self, rows):
            return rows * 2 - rows.mean(0, keepdim=True)

    with pytest.raises(ExportError, match="'embeddings' depends on the neighbours in a batch; call eval"):
        export(crop_recipe(lambda module: module.append(LessTheMean())), tmp_path / "out")
