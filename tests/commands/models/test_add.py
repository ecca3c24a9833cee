"""`facecli models add`, and the model that it makes, through the real command line."""

import json
from pathlib import Path

import numpy as np
import pytest

DESCRIBED = ("--kind", "recognizer", "--crop", "arcface", "--colour", "RGB", "--mean", "127.5", "--std", "128")
POINT = ("--dim", "4", "--metric", "cosine", "--threshold", "0.5")


@pytest.fixture
def own_home(tmp_path):
    """An environment with a model store of its own."""
    return {"FACECLI_HOME": str(tmp_path / "home")}


@pytest.fixture
def make(tmp_path):
    """Make a model: the mean colours of a crop and 1, or their softmax; `metadata` is written into it."""
    onnx = pytest.importorskip("onnx", reason="making a model needs onnx")

    def made(softmax: bool = False, metadata: dict[str, str] | None = None, name: str = "mine.onnx"):
        helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
        nodes = [
            helper.make_node("ReduceMean", ["crops", "axes"], ["means"], keepdims=0),
            helper.make_node("MatMul", ["means", "weights"], ["sums"]),
            helper.make_node("Softmax" if softmax else "Identity", ["sums"], ["out"]),
        ]
        arrays = {"axes": np.array([2, 3]), "weights": np.eye(3, 4, dtype=np.float32) + np.float32(0.1)}
        initial = [onnx.numpy_helper.from_array(array, key) for key, array in arrays.items()]
        crops = helper.make_tensor_value_info("crops", float32, ["N", 3, 112, 112])
        graph = helper.make_graph(
            nodes, "g", [crops], [helper.make_tensor_value_info("out", float32, ["N", 4])], initial
        )
        model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])
        for key, value in (metadata or {}).items():
            model.metadata_props.add(key=key, value=value)
        onnx.save(model, tmp_path / name)
        return tmp_path / name

    return made


def test_a_recognizer_from_options_works_by_name(run_cli, own_home, make, examples):
    done = run_cli("models", "add", make(), "--name", "my-model", *DESCRIBED, *POINT, "--json", env=own_home)
    assert done.returncode == 0, done.stderr
    assert done.json["use"] == "--recognizer my-model"
    assert Path(own_home["FACECLI_HOME"], "selftests", f"{done.json['sha256']}.json").is_file()
    (tested,) = run_cli("models", "verify", "my-model", "--json", env=own_home).json["files"]
    assert (tested["state"], tested["selftest_difference"]) == ("ok", 0)
    pair = (examples / "collins.jpg", examples / "collins_variant.jpg")
    verified = run_cli("verify", *pair, "--recognizer", "my-model", "--json", env=own_home)
    assert verified.returncode == 0, verified.stderr
    assert verified.json["threshold"] == 0.5
    assert verified.json["recognizer"]["models"][0]["files"][0]["sha256"] == done.json["sha256"]
    listed = run_cli("--no-plugins", "plugins", "list", "--json", env=own_home).json["plugins"]
    assert [row["distribution"] for row in listed if row["name"] == "my-model"] == ["the user's models"]
    again = run_cli("models", "add", make(), "--name", "my-model", *DESCRIBED, *POINT, env=own_home)
    assert again.returncode == 2
    assert "add --replace" in again.errors[0]
    assert run_cli("models", "rm", "my-model", env=own_home).returncode == 0
    gone = run_cli("verify", *pair, "--recognizer", "my-model", env=own_home)
    assert gone.returncode == 2
    assert "there is no recognizer 'my-model'" in gone.errors[0]


def test_an_attribute_model_from_metadata_alone(run_cli, own_home, make, examples):
    crop = {"width": 112, "height": 112, "square": True}
    said = {
        "facecli.model": "mood/mine",
        "facecli.kind": "attribute",
        "facecli.attribute": "mood",
        "facecli.labels": json.dumps(["red", "green", "blue", "none"]),
        "facecli.crop": json.dumps(crop),
        "facecli.preprocessing": json.dumps({"colour": "RGB", "mean": [0], "std": [255]}),
        "facecli.licence": "MIT",
    }
    file = make(softmax=True, metadata=said)
    done = run_cli("models", "add", file, "--json", env=own_home)
    assert done.returncode == 0, done.stderr
    found = run_cli("analyze", examples / "collins.jpg", "--attributes", "mood/mine", "--json", env=own_home)
    assert found.returncode == 0, found.stderr
    assert set(found.json["images"][0]["faces"][0]["mood"]["probabilities"]) == {"red", "green", "blue", "none"}
    described = run_cli("models", "info", "mood/mine", "--json", env=own_home).json["model"]
    assert described["licence"] == "MIT"
    other = run_cli("models", "add", file, "--name", "mood/x", "--ignore-metadata", env=own_home)
    assert other.returncode == 2
    assert "too little is known of mood/x; add --kind" in other.errors[0]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "does not say its name"),
        (("--name", "x", *DESCRIBED), 2, "too little is known of x; add --dim, --metric, --threshold"),
        (("--name", "x", *DESCRIBED, *POINT, "--dim", "5"), 4, "gives (2, 4) float32, its description says (2, 5)"),
        (("--name", "x", *DESCRIBED, *POINT, "--layout", "NHWC"), 4, "its description makes (2, 112, 112, 3)"),
        (("--name", "x", *DESCRIBED, *POINT, "--crop", "bbox"), 2, "--crop bbox needs a size"),
        (("--name", "x", *DESCRIBED, *POINT, "--crop", "mtcnn"), 2, "mtcnn has no crop"),
        (("--name", "x", *DESCRIBED, *POINT, "--margin", "0.1"), 2, "are for --crop bbox"),
        (("--name", "dlib-resnet", *DESCRIBED, *POINT), 2, "belongs to facecli itself"),
        (("--name", "../x", *DESCRIBED, *POINT), 4, "is no id"),
    ],
)
def test_what_does_not_fit_is_one_line_and_nothing_is_added(run_cli, own_home, make, arguments, status, message):
    done = run_cli("models", "add", make(), *arguments, env=own_home)
    assert done.returncode == status, done.stderr
    assert len(done.errors) == 1
    assert message in done.errors[0]
    assert list(Path(own_home["FACECLI_HOME"]).rglob("*.json")) == []


MOOD = ("--name", "mood/mine", "--kind", "attribute", "--attribute", "mood", "--labels", "red,green,blue,none")
INPUT = ("--crop", "bbox", "--size", "112x112", "--colour", "RGB", "--mean", "0", "--std", "255")


def test_logits_become_probabilities(run_cli, own_home, make, examples):
    done = run_cli("models", "add", make(), *MOOD, *INPUT, "--logits", env=own_home)
    assert done.returncode == 0, done.stderr
    found = run_cli("analyze", examples / "collins.jpg", "--attributes", "mood/mine", "--json", env=own_home)
    logits = found.json["images"][0]["faces"][0]["mood"]["probabilities"]
    assert sum(logits.values()) == pytest.approx(1, abs=1e-4)
    assert len(set(logits.values())) == 4
    assert run_cli("models", "rm", "mood/mine", env=own_home).returncode == 0
    again = run_cli("models", "add", make(softmax=True), *MOOD, *INPUT, env=own_home)
    assert again.returncode == 0, again.stderr
    found = run_cli("analyze", examples / "collins.jpg", "--attributes", "mood/mine", "--json", env=own_home)
    softmax = found.json["images"][0]["faces"][0]["mood"]["probabilities"]
    assert logits == pytest.approx(softmax, abs=1e-5)


@pytest.mark.parametrize(
    ("softmax", "words", "message"),
    [
        (False, (*MOOD, *INPUT), "does not give probabilities; add --logits"),
        (True, (*MOOD, *INPUT, "--logits"), "gives probabilities already; leave --logits out"),
        (False, ("--name", "x", *DESCRIBED, *POINT, "--logits"), "logits are of an attribute model with labels"),
    ],
)
def test_logits_are_not_guessed(run_cli, own_home, make, softmax, words, message):
    done = run_cli("models", "add", make(softmax=softmax), *words, env=own_home)
    assert (done.returncode, len(done.errors)) == (4, 1), done.stderr
    assert message in done.errors[0]


def test_a_file_that_is_no_model_or_keeps_its_weights_elsewhere(run_cli, own_home, make, tmp_path):
    import onnx

    (tmp_path / "words.onnx").write_text("no model")
    model = onnx.load(make())
    onnx.save(model, tmp_path / "outside.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    for name in ("words.onnx", "outside.onnx"):
        done = run_cli("models", "add", tmp_path / name, "--name", "x", *DESCRIBED, *POINT, env=own_home)
        assert done.returncode == 4
        assert len(done.errors) == 1
        assert f"{name} can not be loaded" in done.errors[0]
        assert "with its weights inside?" in done.errors[0]
