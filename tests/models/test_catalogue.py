from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from facecli.errors import ModelError
from facecli.models import catalogue


def test_every_entry_reads_and_is_named_by_its_id() -> None:
    ids = catalogue.model_ids()
    assert {"mtcnn", "dlib-resnet", "mobilefacenet", "emotion/mini-xception"} <= set(ids)
    for model_id in ids:
        spec = catalogue.load(model_id)
        assert spec.id == model_id
        assert spec.licence
        assert spec.source
        assert spec.kind != "recognizer" or (spec.dim and spec.operating_point and spec.operating_point.source)


def test_embedded_files_are_what_their_entries_say() -> None:
    files = [file for model_id in catalogue.model_ids() for file in catalogue.load(model_id).files if file.path]
    assert len(files) >= 4
    for file in files:
        assert file.path is not None
        content = file.path.read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256)


def test_nothing_embedded_is_left_out_of_the_catalogue() -> None:
    listed = {file.name for model_id in catalogue.model_ids() for file in catalogue.load(model_id).files if file.path}
    assert {path.name for path in catalogue.EMBEDDED.glob("*.onnx")} == listed


@pytest.mark.parametrize(
    "name", ["nothing", "../models/catalogue/mtcnn", "..", "", "/etc/passwd", "a//b", "a/", "x" * 999, "\0", "MTCNN"]
)
def test_an_unknown_model_is_told(name: str) -> None:
    with pytest.raises(ModelError, match="unknown model"):
        catalogue.load(name)


def test_an_absolute_id_does_not_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "evil.toml").write_bytes((catalogue.FOLDER / "mtcnn.toml").read_bytes())
    with pytest.raises(ModelError, match="unknown model"):
        catalogue.load(str(tmp_path / "evil"))


@pytest.mark.parametrize("content", [b"not toml", b"id = 'x'", b"files = 3", b"files = [3]", b"\xff"])
def test_a_damaged_entry_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.toml is damaged.*reinstall facecli"):
        catalogue.load("x")
