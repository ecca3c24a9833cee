"""The example plugin, installed for real from its wheel, works through the real command line."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "facecli-example-plugin"


def pip(*arguments):
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the example installed from its wheel, as pip lays it out; nothing is fetched."""
    work = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, work / "source", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", work, work / "source")
    pip("install", "--quiet", "--no-deps", "--target", work / "site", next(work.glob("*.whl")))
    return work / "site"


@pytest.fixture
def run(run_cli, installed):
    """Run facecli where the example is installed; it has to say nothing on stderr."""

    def run_beside_example(*args, status=0):
        done = run_cli(*args, env={"PYTHONPATH": os.fspath(installed)})
        assert done.returncode == status, done.stderr
        verdicts = [line for line in done.errors if line.endswith(" checks passed")]  # of `plugins check`
        assert status or done.errors == verdicts
        return done

    return run_beside_example


@pytest.fixture
def portraits(examples):
    return examples / "collins.jpg", examples / "collins_variant.jpg"


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('sha256="2e28', 'sha256="3e28', "thumbnail.onnx of model example-thumbnail has the sha256 2e28"),
        ("licence=", "dim=512, licence=", "model example-thumbnail states dim=512, the recognizer 32"),
        ("licence=", "crop=CropSpec(160, 160), licence=", "states another crop than the recognizer"),
        ('"embeddings"]', '"embeddings"] * 2', "normalized embeddings have length 1, one has 2"),
    ],
)
def test_a_statement_that_is_wrong_fails_in_the_kit_and_in_use(
    right, wrong, told, installed, run_cli, tmp_path, portraits
):
    # Without the compiled modules: within one second a change of equal length would not be seen.
    shutil.copytree(installed, tmp_path / "site", ignore=shutil.ignore_patterns("__pycache__"))
    module = tmp_path / "site" / "facecli_example" / "thumbnail.py"
    assert right in module.read_text("utf-8")
    module.write_text(module.read_text("utf-8").replace(right, wrong), "utf-8")
    env = {"PYTHONPATH": os.fspath(tmp_path / "site")}
    assert run_cli("plugins", "check", "example-thumbnail", env=env).returncode in (1, 2)
    done = run_cli("verify", *portraits, "--recognizer", "example-thumbnail", env=env)
    assert (done.returncode == 0) == (told is None)
    assert told is None or told in done.stderr.decode()


def test_plugins_are_listed_as_working_and_by_whom(run):
    plugins = run("plugins", "list", "--json").json["plugins"]
    ours = {(p["kind"], p["name"]): p for p in plugins if p["distribution"] == "facecli-example-plugin"}
    assert set(ours) == {
        ("detectors", "example-centre"),
        ("recognizers", "example-thumbnail"),
        ("attributes", "brightness/example"),
        ("recipes", "example-tiny"),
        ("engines", "example-one-process"),
        ("commands", "example-info"),
    }
    assert {p["version"] for p in ours.values()} == {"1.0.0"}
    assert [p for p in ours.values() if p["problem"]] == []


def test_detects(run, portraits):
    (image,) = run("detect", portraits[0], "--detector", "example-centre", "--json").json["images"]
    (face,) = image["faces"]
    np.testing.assert_allclose(face["bbox"], [51.2, 51.2, 460.8, 460.8], atol=0.1)
    np.testing.assert_allclose(face["landmarks"][2], [256, 51.2 + 0.58 * 409.6], atol=0.1)


def test_takes_parameters(run, portraits):
    options = ("--detector", "example-centre", "--parameter", "example-centre.fraction=0.5", "--json")
    (image,) = run("detect", portraits[0], *options).json["images"]
    np.testing.assert_allclose(image["faces"][0]["bbox"], [128, 128, 384, 384])
    wrong = ("--detector", "example-centre", "--parameter", "example-centre.fraction=5", "--json")
    assert "fraction must lie in" in run("detect", portraits[0], *wrong, status=2).stderr.decode()


def test_embeds_with_the_hash_of_its_own_model(run, portraits):
    document = run("embed", portraits[0], "--recognizer", "example-thumbnail", "--json").json
    embedding = document["images"][0]["faces"][0]["embedding"]
    assert len(embedding) == 32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-4)
    model = (EXAMPLE / "facecli_example" / "thumbnail.onnx").read_bytes()
    assert hashlib.sha256(model).hexdigest() in str(document)


def test_verifies(run, portraits):
    options = ("--detector", "example-centre", "--recognizer", "example-thumbnail", "--json")
    document = run("verify", *portraits, *options).json
    assert document["threshold"] == pytest.approx(0.1)
    assert 0 < document["distance"] < 1


def test_tells_an_attribute_that_is_a_number(run, portraits):
    document = run("analyze", *portraits, "--attributes", "brightness", "--json").json
    bright, dark = (image["faces"][0]["brightness"] for image in document["images"])
    assert 0 < dark["value"] < bright["value"] < 1  # the variant was made 30 % darker


def test_adds_a_command(run):
    document = run("example-info", "--json").json
    assert document["version"] == "1.0.0"
    assert {"kind": "commands", "name": "example-info"} in document["plugins"]
    assert b"example-info" in run("--help").stdout


def test_the_engine_keeps_the_contract_and_runs_a_job(run, portraits, tmp_path):
    checks = run("plugins", "check", "example-one-process", "--json").json["checks"]
    assert [check["check"] for check in checks] == ["descriptor", "nothing", "reports", "ahead", "error", "death"]
    assert [check for check in checks if not check["passed"]] == []
    pytest.importorskip("pyarrow", reason="a job writes Parquet")
    run("detect", *portraits, "-o", f"{tmp_path}/out/", "--engine", "example-one-process", "--quiet")
    assert json.loads((tmp_path / "out/done.json").read_bytes())["pictures"] == 2


@pytest.mark.parametrize("name", ["example-centre", "example-thumbnail", "brightness/example"])
def test_keeps_the_contract(run, portraits, name):
    checks = run("plugins", "check", name, "--picture", portraits[0], "--json").json["checks"]
    assert len(checks) >= 10
    assert [check for check in checks if not check["passed"]] == []


@pytest.fixture
def weights(torch, installed, cli_env, tmp_path):
    """Weights of the example's network, made as its README says."""
    code = "import torch; from facecli_example.tiny import network; torch.save(network().state_dict(), 'tiny.pth')"
    environment = cli_env | {"PYTHONPATH": os.fspath(installed)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    return tmp_path / "tiny.pth"


def test_exports_weights_of_its_own(run_cli, installed, portraits, weights, tmp_path):
    own = {"PYTHONPATH": os.fspath(installed), "FACECLI_HOME": os.fspath(tmp_path / "home")}
    rows = {row["recipe"]: row for row in run_cli("export", "--list", "--json", env=own).json["recipes"]}
    assert rows["example-tiny"]["from"] == "facecli-example-plugin 1.0.0"
    assert rows["example-tiny"]["model"] == "example-tiny"

    out = tmp_path / "out"
    done = run_cli("export", "example-tiny", "--weights", weights, "--output", out, "--json", env=own)
    assert done.returncode == 0, done.stderr
    assert done.errors == []
    assert (done.json["model"], done.json["registered"]) == ("example-tiny", True)
    (file,) = done.json["files"]
    assert file["proved_on"] == "portraits"
    (output,) = file["outputs"]
    assert output["axes"] == ["batch", 32]
    assert output["meaning"] >= 0.99999
    report = json.loads((out / "example-tiny.report.json").read_text())
    assert report["source_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert report["metadata"]["licence"] == "Apache-2.0"

    embedded = run_cli("embed", portraits[0], "--recognizer", "example-tiny", "--json", env=own)
    assert embedded.returncode == 0, embedded.stderr
    assert len(embedded.json["images"][0]["faces"][0]["embedding"]) == 32
    assert embedded.json["recognizer"]["models"][0]["files"][0]["sha256"] == file["sha256"]

    again = tmp_path / "again"
    (tmp_path / "words.pth").write_text("no state")
    for arguments, message in (
        ((), "example-tiny needs its weights; --weights FILE"),
        (("--weights", tmp_path / "words.pth"), "words.pth is no state of example-tiny"),
    ):
        refused = run_cli("export", "example-tiny", *arguments, "--output", again, env=own)
        assert refused.returncode == 1
        assert len(refused.errors) == 1
        assert message in refused.errors[0]
        assert not again.exists()


def test_its_own_tests_pass(installed, cli_env, tmp_path):
    environment = cli_env | {"PYTHONPATH": os.fspath(installed)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, EXAMPLE / "tests"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_model_is_what_its_script_makes():
    pytest.importorskip("onnx")
    spec = importlib.util.spec_from_file_location("make_model", EXAMPLE / "make_model.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.make().SerializeToString(deterministic=True) == script.TARGET.read_bytes()
