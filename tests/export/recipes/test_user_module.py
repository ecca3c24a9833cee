"""`facecli export --module`: a torch module of the user's, through the command line."""

import json

import numpy as np
import pytest

from facecli.cli import group, main
from facecli.errors import ExportError, UsageError
from facecli.export.recipes.user_module import make

CODE = """
import torch

class Net(torch.nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 8, 3, 2, 1)
        self.dense = torch.nn.Linear(8, outputs)

    def forward(self, x):
        return self.dense(torch.relu(self.convolution(x)).mean((2, 3)))

class Twins(torch.nn.Module):
    def forward(self, a, b):
        return a + b.mean(1), a.sum(1)

class Unstable(torch.nn.Module):
    def forward(self, x):
        return x * (1.5 if torch.onnx.is_in_onnx_export() else 1.0)

def build():
    torch.manual_seed(3)
    return Net(16)

twins, unstable = Twins, Unstable
number = 7

def wrong():
    return 7

def raising():
    raise ValueError("two\\nlines")
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A user's folder with his code, in which the command line runs."""
    (tmp_path / "their_net.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACECLI_HOME", str(tmp_path / "home"))
    monkeypatch.delitem(__import__("sys").modules, "their_net", raising=False)
    return tmp_path


@pytest.fixture
def command(project, capsys):
    def call(*arguments):
        status = main.run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err.splitlines()

    return call


DESCRIBED = (
    *("--kind", "recognizer", "--crop", "arcface", "--colour", "RGB", "--mean", "127.5", "--std", "127.5"),
    *("--dim", "16", "--metric", "cosine", "--threshold", "0.4", "--name", "their-net", "--licence", "MIT"),
)


def test_a_described_module_becomes_a_recognizer(command, project, torch, examples):
    pytest.importorskip("safetensors", reason="safetensors is not installed, part of facecli[export]")
    from safetensors.torch import save_file

    from facecli.inference.session import open_session

    network = make("their_net:build")[0]
    with torch.no_grad():
        network.dense.bias.fill_(0.25)  # so that it is seen that the file is read
    save_file({f"module.{name}": tensor for name, tensor in network.state_dict().items()}, "net.safetensors")
    line = ("export", "--module", "their_net:build", "--weights", "net.safetensors", "--input", "crops=1x3x112x112")
    free = ("--dynamic", "0", "--dynamic", "crops:2=rows", "--dynamic", "3", "--output-name", "embeddings")
    status, out, errors = command(*line, *free, *DESCRIBED, "-o", "out", "--json")
    assert (status, errors) == (0, [])
    document = json.loads(out)
    assert (document["model"], document["registered"]) == ("their-net", True)
    (file,) = document["files"]
    assert file["notes"] == ["dropped the prefix 'module.' of every name"]
    report = json.loads((project / "out" / "their-net.report.json").read_text())
    assert report["opset"] == 18
    assert report["metadata"]["licence"] == "MIT"
    sizes = {tuple(figure["inputs"][0][2:]) for figure in report["parity"]}
    assert sizes == {(112, 112), (224, 224), (168, 168)}

    session = open_session(project / "out" / "their-net.onnx")
    assert dict(session.input_shapes) == {"crops": (None, 3, None, None)}
    x = np.random.default_rng(1).uniform(-1, 1, (5, 3, 60, 40)).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(session.run({"crops": x})["embeddings"], expected, rtol=0, atol=1e-5)

    status, out, errors = command("embed", examples / "collins.jpg", "--recognizer", "their-net", "--json")
    assert (status, errors) == (0, [])
    assert json.loads(out)["recognizer"]["models"][0]["files"][0]["sha256"] == file["sha256"]


def test_a_model_of_the_user_is_replaced_only_when_asked(command, project, torch, monkeypatch):
    from facecli.models.entries import own

    line = ("export", "--module", "their_net:build", "--input", "crops=1x3x112x112", *DESCRIBED, "--json")
    status, out, errors = command(*line)
    assert (status, errors) == (0, [])
    before = own.load("their-net").files[0].sha256
    code = (project / "their_net.py").read_text()
    (project / "their_net.py").write_text(code.replace("manual_seed(3)", "manual_seed(4)"))
    monkeypatch.delitem(__import__("sys").modules, "their_net")

    status, out, errors = command(*line)
    assert status == 2
    assert json.loads(out)["error"]["message"] == "you have a model their-net already"
    assert own.load("their-net").files[0].sha256 == before
    status, out, errors = command(*line, "--no-register", "-o", "out")  # nothing would be replaced
    assert (status, errors) == (0, [])
    assert own.load("their-net").files[0].sha256 == before
    status, out, errors = command(*line, "--replace")
    assert (status, errors) == (0, [])
    assert own.load("their-net").files[0].sha256 == json.loads(out)["files"][0]["sha256"] != before


def test_what_a_recipe_made_before_is_made_again_unasked(project, torch, crop_recipe):
    from dataclasses import replace

    import click

    from facecli.commands.export import installing
    from facecli.export.request import ExportRequest, recipe_spec
    from facecli.export.run import export_recipe
    from facecli.export.target import Target

    recipe, target = crop_recipe(), Target("fp16")

    def check(recipe, *, replace=False, module=False):
        installing.check_export(recipe, recipe_spec(recipe), target, replace=replace, of_module=module)

    request = ExportRequest(recipe=recipe, target=target)
    with click.Context(group.group):
        check(recipe)
        assert installing.install(export_recipe(request, project / "out"), target) == "small-fp16"
        check(recipe)
        check(replace(recipe, name="other"), replace=True)
        with pytest.raises(UsageError, match="you have a model small-fp16 already"):
            check(replace(recipe, name="other"))
        with pytest.raises(UsageError, match="you have a model small-fp16 already"):
            check(recipe, module=True)


def test_what_can_not_be_installed_is_refused_before_any_work(command):
    status, out, errors = command("export", "mtcnn", "--precision", "fp16")
    assert (status, out, len(errors)) == (1, "", 1)
    assert "mtcnn in fp16 can not be installed as a model of its own; add --no-register --output DIR" in errors[0]


def test_several_inputs_and_outputs_and_fixed_axes(command, project, torch):
    from facecli.inference.session import open_session

    names = ("--input", "a=2x4", "--input", "b=2x3x4", "--output-name", "sum", "--output-name", "total")
    line = (
        "export",
        "--module",
        "their_net:twins",
        *names,
        "--dynamic",
        "none",
        "--opset",
        "20",
        "--tolerance",
        "1e-6",
    )
    status, out, errors = command(*line, "--no-register", "-o", "out", "--json")
    assert (status, errors) == (0, [])
    (file,) = json.loads(out)["files"]
    assert file["source"] == "their_net.py"
    assert file["tolerance"] == 1e-6
    assert dict(open_session(project / "out" / "twins.onnx").input_shapes) == {"a": (2, 4), "b": (2, 3, 4)}
    assert json.loads((project / "out" / "twins.report.json").read_text())["opset"] == 20


def test_a_module_that_does_not_agree_leaves_no_file(command, project, torch):
    line = ("export", "--module", "their_net:unstable", "--input", "1x3", "--no-register", "-o", "out")
    status, out, errors = command(*line)
    assert (status, out, len(errors)) == (1, "", 1)
    assert "unstable.onnx: output 'output' is " in errors[0]
    assert "the tolerance is 1e-05" in errors[0]
    assert list((project / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--module", "their_net:build"), "--module needs the shape of its input"),
        (
            ("--module", "their_net:build", "--kind", "recognizer", "--dim", "4"),
            "add --input, such as --input 1x3x112x112, and to have it installed --crop, --colour, --mean, --std, "
            "--metric, --threshold",
        ),
        (("--module", "their_net:build"), "for an attribute --crop"),
        (("mtcnn", "--module", "their_net:build", "--input", "1x3"), "RECIPE and --module exclude each other"),
        (("mtcnn", "--input", "1x3"), "these options describe a module of yours"),
        (("mtcnn", "--tolerance", "0.1"), "these options describe a module of yours"),
        (("--module", "their_net:build", "--input", "1x3"), "too little is known to install it"),
        (
            ("--module", "their_net:build", "--input", "1x3"),
            "or --kind, --colour, --mean, --std; for a recognizer --crop, --dim",
        ),
        (("--module", "their_net:build", "--input", "3x"), "'3x' is no input"),
        (("--module", "their_net:build", "--input", "9999x9999x9999"), "is too large"),
        (("--module", "their_net:build", "--input", "1x3", "--name", "../x"), "is no name for a model"),
        (("--module", "their_net:build", "--input", "1x3", "--name", "mtcnn"), "belongs to facecli itself"),
        (
            ("--module", "their_net:build", "--input", "1x3", "--dim", "4"),
            "too little is known of build; add --kind, --colour, --mean, --std; for a recognizer --crop, --metric",
        ),
        (("--module", "their_net:build", "--input", "1x3", "--dynamic", "5", "--no-register"), "there is no such axis"),
    ],
)
def test_options_that_do_not_go_together(command, arguments, message):
    status, out, errors = command("export", *arguments)
    assert (status, out, len(errors)) == (2, "", 1)
    assert message in errors[0]


@pytest.mark.parametrize(
    ("factory", "error", "message"),
    [
        ("their_net", UsageError, "names no module"),
        ("their_net:", UsageError, "names no module"),
        ("no_such_net:build", ExportError, "makes no network: ModuleNotFoundError"),
        ("their_net:nothing", ExportError, "makes no network: AttributeError"),
        ("their_net:number", ExportError, "makes no network: TypeError"),
        ("their_net:raising", ExportError, "makes no network: ValueError: two$"),
        ("their_net:wrong", ExportError, "gives a int, not a torch.nn.Module"),
    ],
)
def test_a_callable_that_makes_no_network(project, torch, factory, error, message):
    with pytest.raises(error, match=message):
        make(factory)
