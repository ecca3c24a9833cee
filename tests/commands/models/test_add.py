"""`facecli models add`, and the model that it makes, through the real command line."""

import json
import subprocess
import sys
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
        (
            ("--name", "x", *DESCRIBED, *POINT, "--dim", "5"),
            4,
            "gives 4 numbers for a crop, its description says 5",
        ),
        (
            ("--name", "x", *DESCRIBED, *POINT, "--layout", "NHWC"),
            4,
            "(N, 112, 112, 3); its layout is the other one",
        ),
        (("--name", "x", *DESCRIBED, *POINT, "--crop", "bbox"), 2, "--crop bbox needs a size"),
        (("--name", "x", *DESCRIBED, *POINT, "--crop", "mtcnn"), 2, "--crop mtcnn is no model that faces are cut for"),
        (("--name", "x", *DESCRIBED, *POINT, "--crop", "64x64"), 2, "a size is --crop bbox --size 64x64"),
        (("--name", "A b", *DESCRIBED, *POINT), 4, "mend --name"),
        (("--name", "x", *DESCRIBED, *POINT, "--mean", "1,2"), 4, "mend --mean"),
        (("--name", "x", *DESCRIBED, *POINT, "--threshold", "3"), 4, "mend --threshold or --metric"),
        (("--name", "x", *DESCRIBED, *POINT, "--margin", "0.1"), 2, "are for --crop bbox"),
        (("--name", "dlib-resnet", *DESCRIBED, *POINT), 2, "belongs to facecli itself"),
        (("--name", "../x", *DESCRIBED, *POINT), 4, "is no id"),
        (("--name", "x", *DESCRIBED, *POINT, "--threshold", "36"), 4, "no cosine distance is more than 2, 36 is"),
        (
            ("--name", "x", *DESCRIBED, *POINT, "--mean", "0.5", "--std", "0.5"),
            4,
            "mean and std of pixels from 0 to 1?",
        ),
        (("--name", "x", *DESCRIBED, *POINT, "--std", "0.229"), 4, "here they are of 0 to 255: times 255"),
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


def test_a_file_that_is_no_model(run_cli, own_home, tmp_path):
    (tmp_path / "words.onnx").write_text("no model")
    done = run_cli("models", "add", tmp_path / "words.onnx", "--name", "x", *DESCRIBED, *POINT, env=own_home)
    assert done.returncode == 4
    (said,) = done.errors
    assert said.endswith("words.onnx can not be loaded: it is no ONNX model, or a part of one; copy or fetch it again")


@pytest.fixture
def outside(make, tmp_path):
    """A model whose weights lie in weights.bin beside it."""
    import onnx

    model = onnx.load(make())
    onnx.save(model, tmp_path / "outside.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    return tmp_path / "outside.onnx"


def test_weights_in_another_file_are_taken_along(run_cli, own_home, make, outside, examples):
    done = run_cli("models", "add", outside, "--name", "joined", *DESCRIBED, *POINT, "--json", env=own_home)
    assert done.returncode == 0, done.stderr
    assert done.json["mended"] == ["the weights of weights.bin were put into it"]
    outside.with_name("weights.bin").unlink()
    described = run_cli("models", "info", "joined", "--json", env=own_home).json["model"]
    assert described["registered"]["mended"] == done.json["mended"]
    assert run_cli("models", "add", make(), "--name", "whole", *DESCRIBED, *POINT, env=own_home).returncode == 0
    rows = [
        run_cli("embed", examples / "collins.jpg", "--recognizer", name, "--no-detect", "--json", env=own_home).json[
            "images"
        ][0]["faces"][0]["embedding"]
        for name in ("joined", "whole")
    ]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.unlink(), "its weights lie in weights.bin, which is not beside it; put weights.bin there"),
        (lambda file: file.write_bytes(b"1"), "weights.bin is shorter than the model says; copy or export both again"),
        (lambda file: (file.rename(f"{file}2"), file.symlink_to(f"{file}2")), "weights.bin, which is no plain file"),
    ],
)
def test_weights_in_another_file_that_can_not_be_had(run_cli, own_home, outside, change, said):
    change(outside.with_name("weights.bin"))
    done = run_cli("models", "add", outside, "--name", "x", *DESCRIBED, *POINT, env=own_home)
    assert (done.returncode, len(done.errors)) == (4, 1)
    assert said in done.errors[0]


@pytest.fixture
def network(tmp_path):
    """Make a network of 3x112x112 crops from its last nodes: they read `means`, (N, 3), and `w`, and make `out`."""
    onnx = pytest.importorskip("onnx", reason="making a model needs onnx")
    helper, kinds = onnx.helper, onnx.TensorProto

    def made(*nodes, weights=None, kind="FLOAT", batch="N", size=112, inputs=(), more=None, **model):
        arrays = {"axes": np.array([2, 3]), "w": np.eye(3, 4, dtype=np.float32) if weights is None else weights}
        initial = [onnx.numpy_helper.from_array(array, key) for key, array in (arrays | (more or {})).items()]
        body = [helper.make_node("Cast", ["crops"], ["floats"], to=kinds.FLOAT)]
        body += [helper.make_node("ReduceMean", ["floats", "axes"], ["means"], keepdims=0)]
        body += [helper.make_node(name, read, write, **fields) for name, read, write, fields in nodes]
        shape = [batch, 3, size, size]
        entries = [helper.make_tensor_value_info("crops", getattr(kinds, kind), shape)]
        entries += [helper.make_tensor_value_info(name, kinds.FLOAT, [3]) for name in inputs]
        out = onnx.ValueInfoProto(name="out")
        graph = helper.make_graph(body, "g", entries, [out], initial)
        fields = {"ir_version": 10, "opset_imports": [helper.make_opsetid("", 18), helper.make_opsetid("my.ops", 1)]}
        (tmp_path / "net.onnx").write_bytes(helper.make_model(graph, **fields | model).SerializeToString())
        return tmp_path / "net.onnx"

    return made


DENSE = ("MatMul", ["means", "w"], ["out"], {})
FIRST = ("MatMul", ["means", "w"], ["rows"], {})
NAN = np.full((3, 4), np.nan, np.float32)
REFUSED = {
    "constant": (
        (FIRST, ("Add", ["rows", "b"], ["out"], {})),
        {"weights": np.zeros((3, 4), np.float32), "more": {"b": np.ones(4, np.float32)}},
        "gives the same embedding to different pictures; were its weights lost when it was made?",
    ),
    "no length": ((DENSE,), {"weights": np.zeros((3, 4), np.float32)}, "an embedding has length 0; were its weights"),
    "nan": ((DENSE,), {"weights": NAN}, "gives NaN (not a number); was it made from float16 weights that overflow?"),
    "neighbours": (
        (FIRST, ("ReduceMax", ["rows", "first"], ["most"], {}), ("Sub", ["rows", "most"], ["out"], {})),
        {"more": {"first": np.array([0])}},
        "gives a face another answer beside other faces; export it in evaluation mode, or with a batch of one",
    ),
    "neighbours in a fixed batch": (
        (FIRST, ("ReduceMax", ["rows", "first"], ["most"], {}), ("Add", ["rows", "most"], ["out"], {})),
        {"more": {"first": np.array([0])}, "batch": 4},
        "gives a face another answer beside other faces",
    ),
    "one row": (
        (FIRST, ("ReduceMax", ["rows", "first"], ["out"], {})),
        {"more": {"first": np.array([0])}},
        "gives 1 row for 2 crops; export it with a free batch axis",
    ),
    "rank": (
        (FIRST, ("Unsqueeze", ["rows", "axes"], ["out"], {})),
        {},
        "gives (2, 4, 1, 1), not one row for each crop; flatten its output to two axes before the export",
    ),
    "double": (
        (FIRST, ("Cast", ["rows"], ["out"], {"to": 11})),
        {},
        "gives float64, not float32; export it with float32 outputs",
    ),
    "half": (
        (DENSE,),
        {"kind": "FLOAT16"},
        "takes numbers of type float16, not float32; export it with",
    ),
    "bytes": ((DENSE,), {"kind": "UINT8"}, "takes numbers of type uint8, not float32; export it with float32 inputs"),
    "size": (
        (DENSE,),
        {"size": 160},
        "takes (N, 3, 160, 160), its description makes (N, 3, 112, 112); its crops are of another size: mend --crop",
    ),
    "batch": (
        (DENSE,),
        {"batch": 10**6},
        "takes 1000000 x 3 x 112 x 112 numbers at once, which is more than 134217728; export it with",
    ),
    "two inputs": ((("Add", ["means", "b"], ["a"], {}), DENSE), {"inputs": ("b",)}, "has 2 inputs (crops, b), not one"),
    "operator": (
        (("Foo", ["means", "w"], ["out"], {"domain": "my.ops"}),),
        {},
        "can not be loaded: ONNX Runtime has no operator my.ops:Foo; export it with ONNX's standard operators alone",
    ),
    "newer": ((DENSE,), {"ir_version": 99}, "it is of ONNX's IR version 99, this onnxruntime reads up to"),
    "fails": (
        (("Reshape", ["means", "five"], ["out"], {}),),
        {"more": {"five": np.array([5, -1])}},
        "does not run: its node (Reshape) fails: The input tensor cannot be reshaped to the requested shape",
    ),
}


@pytest.mark.parametrize(("nodes", "fields", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_network_that_can_not_be_right_is_refused_in_our_words(run_cli, own_home, network, nodes, fields, said):
    file = network(*nodes, **fields)
    done = run_cli("models", "add", file, "--name", "x", *DESCRIBED, *POINT, env=own_home)
    assert done.returncode == 4
    (line,) = done.errors
    assert said in line
    assert not {"/", ".cc:", "::"} & {*line.split()} and "ONNXRuntimeError" not in line and "/tmp" not in line
    assert list(Path(own_home["FACECLI_HOME"]).rglob("*.json")) == []


def test_a_network_that_never_ends_is_stopped(network, tmp_path, cli_env, own_home):
    onnx = pytest.importorskip("onnx", reason="making a model needs onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    info = {
        name: helper.make_tensor_value_info(name, kind, shape)
        for name, kind, shape in (
            ("round", kinds.INT64, []),
            ("go", kinds.BOOL, []),
            ("go_on", kinds.BOOL, []),
            ("before", kinds.FLOAT, ["N", 4]),
            ("after", kinds.FLOAT, ["N", 4]),
        )
    }
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Identity", ["before"], ["after"])],
        "body",
        [info["round"], info["go"], info["before"]],
        [info["go_on"], info["after"]],
    )
    rounds = {"rounds": np.array(2**62), "true": np.array(True)}
    file = network(FIRST, ("Loop", ["rounds", "true", "rows"], ["out"], {"body": body}), more=rounds)
    sooner = "from facecli.inventory import admission; from facecli.cli.main import main; "
    sooner += "admission.LONGEST_RUN = 0.3; main()"
    command = [sys.executable, "-c", sooner, "models", "add", str(file), "--name", "x", *DESCRIBED, *POINT]
    run = subprocess.run(
        command, capture_output=True, text=True, env=cli_env | own_home, cwd=tmp_path, check=False, timeout=300
    )
    assert run.returncode == 4
    assert "the model was not done after 0.3 s; has it a loop without end?" in run.stderr
    assert not list(Path(own_home["FACECLI_HOME"], "partial").iterdir())  # the work copy is gone


def test_a_sound_network_with_a_fixed_batch_is_taken(run_cli, own_home, network):
    for batch in (1, 4):
        file = network(DENSE, batch=batch)
        done = run_cli("models", "add", file, "--name", "x", "--replace", *DESCRIBED, *POINT, env=own_home)
        assert done.returncode == 0, done.stderr


def test_an_attribute_model_that_says_the_same_to_every_picture_is_refused(run_cli, own_home, network):
    file = network(FIRST, ("Softmax", ["rows"], ["out"], {}), weights=np.zeros((3, 4), np.float32))
    done = run_cli("models", "add", file, *MOOD, *INPUT, env=own_home)
    assert done.returncode == 4
    assert "gives the same answer to different pictures" in done.errors[0]


def test_inputs_that_nothing_reads_are_dropped(run_cli, own_home, network):
    file = network(DENSE, inputs=("b", "c"))
    done = run_cli("models", "add", file, "--name", "x", *DESCRIBED, *POINT, "--json", env=own_home)
    assert done.returncode == 0, done.stderr
    assert done.json["mended"] == ["2 inputs that no node reads were dropped: b, c"]
