"""What is shipped is what the recipes make."""

import importlib.util
import tomllib
from importlib.metadata import version

import numpy as np
import pytest

from facecli.errors import ExportError
from facecli.export.recipes import dlib_resnet, mtcnn
from facecli.models import catalogue
from facecli.models.entries.shipped import EMBEDDED, FOLDER, PACKAGE

# With other versions the exporter may name things or order weights otherwise; what is computed is compared always.
MADE_WITH = {"torch": "2.13.0", "onnx": "1.23.2", "onnxscript": "0.7.2"}
RECIPES = {"mtcnn": (mtcnn, "facenet_pytorch"), "dlib-resnet": (dlib_resnet, "face_recognition_models")}


@pytest.fixture(scope="module", params=RECIPES)
def exported(torch, request, tmp_path_factory):
    """A recipe and its result, made anew."""
    module, package = RECIPES[request.param]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: its weights are not here to be exported again")
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe

    (recipe,) = module.facecli_export_recipes()
    return recipe, export_recipe(ExportRequest(recipe=recipe), tmp_path_factory.mktemp("export"))


def test_the_graph_is_the_shipped_one(exported):
    import onnx

    _, result = exported
    for file in result.files:
        made, shipped = onnx.load(file.path), onnx.load(EMBEDDED / file.path.name)
        facts = [{p.key: p.value for p in m.metadata_props if p.key != "facecli.version"} for m in (made, shipped)]
        assert facts[1].items() <= facts[0].items()  # an export states more today than it did when these were shipped
        assert [n.op_type for n in made.graph.node] == [n.op_type for n in shipped.graph.node]
        if {name: version(name).partition("+")[0] for name in MADE_WITH} == MADE_WITH:
            graphs = [m.graph.SerializeToString(deterministic=True) for m in (made, shipped)]
            assert graphs[0] == graphs[1]


def test_the_outputs_are_the_shipped_ones(exported):
    from facecli.inference.session import open_session

    recipe, result = exported
    parts = {part.file: part for part in recipe.build(None)}
    for file in result.files:
        inputs = dict(zip(parts[file.path.name].input_names, parts[file.path.name].sample(3, 0), strict=True))
        made, shipped = (open_session(p).run(inputs) for p in (file.path, EMBEDDED / file.path.name))
        assert made.keys() == shipped.keys()
        for name in made:
            np.testing.assert_allclose(made[name], shipped[name], rtol=0, atol=1e-6)


def test_the_catalogue_agrees_with_recipe_and_files(exported):
    recipe, result = exported
    spec = catalogue.load(recipe.model)
    assert [f.name for f in spec.files] == [f.path.name for f in result.files]
    assert spec.licence == recipe.licence
    assert spec.preprocessing is not None
    assert spec.preprocessing.version == recipe.preprocessing_version


def test_embedded_files_have_the_size_and_sha256_of_the_catalogue():
    from facecli.export.weights.source import sha256

    embedded = [file for name in catalogue.model_ids() for file in catalogue.load(name).files if file.path is not None]
    assert {file.name for file in embedded} == {path.name for path in EMBEDDED.glob("*.onnx")}
    for file in embedded:
        assert (file.path.stat().st_size, sha256(file.path)) == (file.size, file.sha256)


def test_every_model_in_the_wheel_has_a_card():
    cards = PACKAGE / "cards"
    shipped = [name for name in catalogue.model_ids() if any(file.path for file in catalogue.load(name).files)]
    assert len(shipped) >= 3
    for name in shipped:
        card = (cards / f"{name.replace('/', '-')}.md").read_text("utf-8")
        for file in tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))["files"]:
            assert file["name"] in card
            assert file.get("sha256", "") in card


@pytest.mark.usefixtures("torch")
def test_foreign_weights_are_refused(tmp_path):
    for name in ("pnet", "rnet", "onet"):
        (tmp_path / f"{name}.pt").write_bytes(b"no state at all")
    with pytest.raises(ExportError, match=r"pnet\.pt is no state of this network"):
        mtcnn.build(tmp_path)


@pytest.mark.usefixtures("torch")
def test_changed_packaged_weights_are_refused(tmp_path, monkeypatch):
    changed = tmp_path / "net.pt"
    changed.write_bytes(b"something else")
    monkeypatch.setattr(mtcnn, "packaged", lambda *_: changed)
    with pytest.raises(ExportError, match=r"net\.pt is not the expected file: its sha256 is "):
        mtcnn.build(None)
