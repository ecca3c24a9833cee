from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from facecli.contract import ModelSpec, RecognizerPlugin
from facecli.errors import ModelError
from facecli.hosting.registry import Registry
from facecli.models import catalogue
from facecli.models.entries import shipped

ROOT = Path(__file__).parents[2]


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
    assert {path.name for path in shipped.EMBEDDED.glob("*.onnx")} == listed


@pytest.mark.parametrize(
    "name", ["nothing", "../models/catalogue/mtcnn", "..", "", "/etc/passwd", "a//b", "a/", "x" * 999, "\0", "MTCNN"]
)
def test_an_unknown_model_is_told(name: str) -> None:
    with pytest.raises(ModelError, match="unknown model"):
        catalogue.load(name)


def test_an_absolute_id_does_not_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "evil.toml").write_bytes((shipped.FOLDER / "mtcnn.toml").read_bytes())
    with pytest.raises(ModelError, match="unknown model"):
        catalogue.load(str(tmp_path / "evil"))


@pytest.mark.parametrize("content", [b"not toml", b"id = 'x'", b"files = 3", b"files = [3]", b"\xff"])
def test_a_damaged_entry_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.toml is damaged.*reinstall facecli"):
        catalogue.load("x")


def every_spec() -> list[ModelSpec]:
    return [catalogue.load(model_id) for model_id in catalogue.model_ids()]


def test_every_file_can_be_had_and_its_name_stands_for_one_content() -> None:
    contents: dict[str, str | None] = {}
    for spec in every_spec():
        for file in spec.files:
            assert contents.setdefault(file.name, file.sha256) == file.sha256, f"two files are called {file.name}"
            assert file.name == Path(file.name).name
            assert all(url.startswith("https://") for url in file.urls), spec.id
            exported = file.sha256 is None and not file.urls
            assert exported or file.path or file.urls or file.packed, f"{spec.id}: nobody can get {file.name}"
            assert not exported or "facecli export" in (spec.hint or ""), f"{spec.id} needs a hint at its recipe"
            assert file.sha256 is None or len(file.sha256) == 64


def test_a_licence_is_stated_alike_by_all_its_models() -> None:
    facts: dict[str, tuple[bool, str | None]] = {}
    for spec in every_spec():
        assert facts.setdefault(spec.licence, (spec.commercial_use, spec.licence_url))[0] == spec.commercial_use, (
            spec.id
        )
        assert spec.kind in {"detector", "recognizer", "attribute", "weights"}


def test_insightface_has_one_licence() -> None:
    """It is accepted by its name, once for all models: two spellings would have it accepted twice."""
    found = {(spec.licence, spec.licence_url) for spec in every_spec() if "insightface" in spec.licence.lower()}
    known = ("InsightFace non-commercial research", "https://github.com/deepinsight/insightface#license")
    assert found <= {known}


def test_one_model_costs_the_reading_of_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Path.read_bytes

    def counted(path: Path) -> bytes:
        if path.suffix == ".toml":
            read.append(path.name)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", counted)
    Registry(third_party=False).load("recognizers", "dlib-resnet", RecognizerPlugin)
    assert read == ["dlib-resnet.toml"]


@pytest.mark.parametrize(
    "file",
    [
        {"name": "x", "sha256": "0", "surprise": 1},
        {"name": "x", "packed": ["buffalo_l.zip/x"]},
        {"name": "x", "sha256": "0", "packed": ["no-such.zip/x"]},
    ],
)
def test_a_file_that_makes_no_sense_is_refused(file: dict[str, Any]) -> None:
    entry = {"id": "x", "kind": "detector", "summary": "", "licence": "", "commercial_use": True, "source": ""}
    with pytest.raises((ValueError, KeyError)):
        shipped.parse(entry | {"files": [file]})


def test_a_packed_file_knows_its_archives() -> None:
    entry = {"id": "x", "kind": "detector", "summary": "", "licence": "", "commercial_use": True, "source": ""}
    file = {"name": "x.onnx", "sha256": "0", "packed": ["buffalo_l.zip/y.onnx", "antelopev2.zip/y.onnx"]}
    (first, second) = shipped.parse(entry | {"files": [file]}).files[0].packed
    assert (first[0].name, first[1]) == ("buffalo_l.zip", "y.onnx")
    assert second[0].size == 360662982


def test_the_list_of_models_is_what_the_catalogue_says() -> None:
    path = ROOT / "docs" / "make_model_list.py"
    spec = importlib.util.spec_from_file_location("make_model_list", path)
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    if "UPDATE_DOCS" in os.environ:
        maker.PAGE.write_text(maker.page(), "utf-8")
    assert maker.PAGE.read_text("utf-8") == maker.page(), "run python docs/make_model_list.py"


def test_every_model_is_run_by_a_plugin() -> None:
    """A TOML without its line in setup.cfg would be listed, fetched, and refused by name."""
    registry = Registry(third_party=False)
    kinds: tuple[Any, ...] = ("detectors", "recognizers", "attributes")
    run = {spec.id for kind in kinds for e in registry.entries(kind) for spec in registry.load_entry(e).models}
    assert {spec.id for spec in every_spec() if spec.kind != "weights"} == run
