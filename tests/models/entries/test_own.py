"""Descriptions of models by others are checked in every part; metadata goes round."""

import dataclasses
import json

import pytest

from facecli.contract import ModelFile
from facecli.errors import ModelError
from facecli.models import adding, catalogue
from facecli.models.disk.layout import Layout
from facecli.models.entries import checked, metadata, own, shipped
from facecli.models.store import ModelStore

POINT = {"metric": "cosine", "threshold": 1, "source": "x"}


def entry(**changes):
    known = own.described(catalogue.load("mobilefacenet")) | {"id": "mine"}
    return json.loads(json.dumps(known)) | changes


def test_every_model_of_the_catalogue_that_needs_no_code_survives_its_own_metadata():
    kept = 0
    for model_id in shipped.model_ids():
        spec = catalogue.load(model_id)
        part = spec.attribute is not None and not spec.id.startswith(f"{spec.attribute}/")  # of a plugin with code
        if part or spec.kind == "detector" or spec.crop is None or not (spec.operating_point or spec.attribute):
            continue
        facts = metadata.of_spec(spec) | {"model": spec.id}
        said = metadata.read({f"facecli.{name}": text for name, text in facts.items()} | {"other": "x"}, "x.onnx")
        again = checked.spec(said, spec.files, "x.onnx")
        fields = (*metadata.TEXTS, *metadata.structures(), "id")
        assert [getattr(again, field) for field in fields] == [getattr(spec, field) for field in fields]
        kept += 1
    assert kept >= 3


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"id": "../../x"}, "no id"),
        ({"id": "/etc/x"}, "no id"),
        ({"id": "x" * 200}, "no id"),
        ({"kind": "weights"}, "needs a plugin"),
        ({"kind": "detector"}, "family is missing"),
        ({"kind": "detector", "family": "scrfd"}, "a detector has no crop"),
        ({"family": "scrfd"}, "only a detector has a family"),
        ({"logits": True}, "logits are of an attribute model with labels"),
        ({"kind": "shell"}, "kind must be one of"),
        ({"summary": "\x1b[2Jgone"}, "summary must be printable"),
        ({"summary": "x" * 3000}, "at most 2000"),
        ({"summary": ["x"]}, "summary must be a text"),
        ({"commercial_use": "yes"}, "commercial_use must be true or false"),
        ({"files": [{"name": "/etc/passwd"}], "command": "x"}, "command is not known"),
        ({"dim": 10**9}, "dim must be"),
        ({"dim": True}, "dim must be a whole number"),
        ({"crop": {"width": 10**6, "height": 10**6}}, "crop.width and height"),
        ({"crop": {"width": 10.5, "height": 10}}, "crop.width must be a whole number"),
        ({"crop": {"width": 10}}, "crop.height is missing"),
        ({"crop": {"width": 10, "height": 10, "template": [[0, 0]] * 5}}, "five different points"),
        ({"crop": {"width": 10, "height": 10, "template": [[0, 0]] * 4}}, "must have 5 values"),
        ({"crop": {"width": 10, "height": 10, "margin": 1e9}}, "crop.margin must be a number"),
        ({"crop": "arcface"}, "crop must be a table"),
        ({"crop": None}, "crop is missing"),
        ({"preprocessing": {"colour": "RGB", "mean": [0], "std": [0]}}, "std must not be 0"),
        ({"preprocessing": {"colour": "RGB", "mean": [float("nan")], "std": [1]}}, "must be a number"),
        ({"preprocessing": {"colour": "RGB", "mean": [0, 0], "std": [1]}}, "1 or 3 values"),
        ({"preprocessing": {"colour": "CMYK", "mean": [0], "std": [1]}}, "colour must be one of"),
        ({"operating_point": None}, "operating_point is missing"),
        ({"operating_point": {"metric": "cosine", "threshold": -1, "source": "x"}}, "0 or more"),
        ({"operating_point": {"metric": "cosine", "threshold": 10**400, "source": "x"}}, "must be a number"),
        ({"operating_point": {"metric": "x", "threshold": 1, "source": "x"}}, "metric must be one of"),
        ({"operating_point": {"metric": "cosine", "threshold": 1, "source": "x", "fmr": 2}}, "a rate must be"),
        (
            {"operating_point": {"metric": "cosine", "threshold": 1, "source": "x", "fmr_worst_group": 2}},
            "a rate must be",
        ),
        ({"publisher_point": {**POINT, "threshold": -1}}, "publisher_point: a threshold"),
        ({"operating_point": {"metric": "cosine", "threshold": 1, "source": "x", "equivalents": {"y": 1}}}, "unknown"),
        ({"labels": ["a"] * 2000}, "labels must be a list"),
        ({"kind": "attribute", "attribute": "mood"}, "id is ATTRIBUTE/NAME"),
        ({"kind": "attribute", "attribute": "mood", "id": "mood/x", "labels": ["a", "a"]}, "labels must differ"),
    ],
)
def test_what_is_not_as_it_must_be_is_refused_in_one_line(changes, what):
    assert checked.spec(entry(), (), "x.onnx").id == "mine"
    with pytest.raises(ModelError) as caught:
        checked.spec(entry(**changes), (), "x.onnx")
    assert what in caught.value.message
    assert caught.value.message.startswith("x.onnx: ")
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "NaN", '"\\ud800"'])
def test_metadata_that_is_no_json_or_no_table_is_refused(text):
    with pytest.raises(ModelError):
        checked.spec(entry() | metadata.read({"facecli.crop": text}, "x.onnx"), (), "x.onnx")
    with pytest.raises(ModelError, match="too much metadata"):
        metadata.read({"facecli.crop": "1" * 100_000}, "x.onnx")


@pytest.fixture
def added(tmp_path, monkeypatch):
    """A model of the user's, whose file is none that could be run."""
    monkeypatch.setenv("FACECLI_HOME", str(tmp_path / "home"))
    file = tmp_path / "mine.onnx"
    file.write_bytes(b"model")
    return adding.add(checked.spec(entry(), (), "x"), file, ModelStore(), {"added_from": "mine.onnx"})


def test_an_added_model_is_found_like_any_other_and_removed(added, tmp_path):
    from facecli.hosting.registry import Registry
    from facecli.models.removal import remove

    assert catalogue.load("mine") == added
    assert "mine" in catalogue.model_ids()
    assert "mine" not in shipped.model_ids()
    assert ModelStore().path(added).read_bytes() == b"model"
    assert added.files == (ModelFile("mine.onnx", added.files[0].sha256, 5),)
    registry = Registry(third_party=False)
    assert registry.load_entry(registry.entry("recognizers", "mine")).dim == 128
    remove(ModelStore(), [added], [])
    assert "mine" not in catalogue.model_ids()
    assert [path for path in (tmp_path / "home").rglob("*") if path.suffix in (".json", ".onnx")] == []


def test_a_damaged_description_hurts_nobody_who_does_not_name_it(added, tmp_path):
    path = Layout(tmp_path / "home").description("recognizer", "mine")
    good = json.loads(path.read_text())
    for damage in (b"", b"{}", b"[]", b"\xff", json.dumps(good | {"id": "other"}).encode(), b"[" * 100_000):
        path.write_bytes(damage)
        with pytest.raises(ModelError, match="mine"):
            catalogue.load("mine")
        assert "mobilefacenet" in catalogue.model_ids()
        assert "mine" not in catalogue.model_ids()
    spoilt = good | {"files": [good["files"][0] | {"name": "../../evil.onnx"}]}
    path.write_text(json.dumps(spoilt))
    with pytest.raises(ModelError, match="a name, a sha256 and a size"):
        catalogue.load("mine")


def test_our_names_and_odd_files_are_not_taken_for_models(added, tmp_path):
    folder = Layout(tmp_path / "home").description("recognizer", "mine").parent
    for name in ("dlib-resnet.json", "No Name.json", "x.txt"):
        (folder / name).write_text((folder / "mine.json").read_text())
    assert catalogue.load("dlib-resnet").files[0].path is not None
    assert Layout(tmp_path / "home").described("recognizer") == ["dlib-resnet", "mine"]
    from facecli.hosting.registry import Registry

    assert Registry(third_party=False).entry("recognizers", "dlib-resnet").built_in
    assert dataclasses.replace(added) == added
