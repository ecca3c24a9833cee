from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def test_models_list_info_path_verify(run_cli: Callable, tmp_path: Path) -> None:
    empty = {"FACECLI_HOME": str(tmp_path)}  # the home that the other tests share holds what they fetched
    rows = {row["id"]: row for row in run_cli("models", "list", "--json", env=empty).json["models"]}
    assert rows["mtcnn"]["installed"] is True
    assert rows["mobilefacenet"]["installed"] is False
    assert rows["dlib-resnet"]["licence"] == "CC0-1.0"
    info = run_cli("models", "info", "dlib-resnet", "--json", env=empty).json["model"]
    assert info["operating_point"]["threshold"] == 0.6
    assert info["crop"]["width"] == 150
    files = run_cli("models", "path", "mtcnn", "--json", env=empty).json["files"]
    assert all(Path(file["path"]).is_file() for file in files)
    verified = run_cli("models", "verify", "--json", env=empty).json["files"]
    assert {row["state"] for row in verified} == {"ok"}
    assert all(row["selftest_difference"] < 1e-3 for row in verified)
    assert run_cli("models", "info", "nothing").returncode == 4


def test_a_corrupted_model_file_is_found_and_told(
    run_cli: Callable, examples: Path, shared: Path, tmp_path: Path
) -> None:
    env = {"FACECLI_HOME": str(tmp_path), "FACECLI_MODELS_MIRROR": str(shared / "models")}
    path = Path(run_cli("models", "path", "mobilefacenet", "--json", env=env).json["files"][0]["path"])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    found = run_cli("models", "verify", "--json", env=env)
    assert found.returncode == 4
    assert "damaged" in {row["state"] for row in found.json["files"]}  # one document, and the complaint on stderr
    assert len(found.errors) == 1
    pair = (examples / "hopper.jpg", examples / "collins.jpg")
    used = run_cli("verify", *pair, "--recognizer", "mobilefacenet", "--json", env=env)
    assert used.returncode == 4
    assert "damaged" in used.errors[-1]


def test_plugins_list_and_info(run_cli: Callable) -> None:
    rows = run_cli("plugins", "list", "--json").json["plugins"]
    own = {(row["kind"], row["name"]) for row in rows if row["distribution"] == "facecli"}
    assert {("detectors", "mtcnn"), ("detectors", "haar"), ("recognizers", "dlib-resnet")} <= own
    assert all(row["problem"] is None for row in rows)
    (info,) = [p for p in run_cli("plugins", "info", "mtcnn", "--json").json["plugins"] if p["kind"] == "detectors"]
    assert info["parameters"]["min_face_size"] == 20
    assert run_cli("plugins", "info", "nothing").returncode == 2


def test_plugins_check_runs_the_kit(run_cli: Callable, examples: Path) -> None:
    done = run_cli("plugins", "check", "mtcnn", "--picture", examples / "hopper.jpg", "--json")
    assert done.returncode == 0
    assert len(done.json["checks"]) > 5


def test_doctor_is_content_here_and_not_with_cuda(run_cli: Callable) -> None:
    done = run_cli("doctor", "--device", "cpu", "--json")
    assert done.returncode == 0, done.json
    assert done.json["healthy"] is True
    assert any("self-test" in check["found"] for check in done.json["checks"])
    if "CUDAExecutionProvider" not in str(done.json):
        assert run_cli("doctor", "--device", "cuda", "--json").returncode == 4


def test_doctor_finds_both_onnxruntime_wheels(run_cli: Callable, tmp_path: Path) -> None:
    fake = tmp_path / "onnxruntime_gpu-1.0.dist-info"
    fake.mkdir()
    (fake / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.0\n")
    done = run_cli("doctor", "--json", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 4
    (check,) = [c for c in done.json["checks"] if c["check"] == "onnxruntime wheels"]
    assert check["ok"] is False
    assert "overwrite each other" in check["found"]


def test_a_damaged_installation_is_told(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    """A copy of the package whose recognizer was cut short: refused before it gives wrong answers."""
    import facecli.models

    package = Path(facecli.models.__file__).parent
    site = tmp_path / "site"
    shutil.copytree(package / "embedded", site / "embedded")
    (site / "embedded" / "dlib_resnet.onnx").write_bytes(b"short")
    code = (
        "import sys, pathlib; from facecli.models import catalogue;"
        f"catalogue.EMBEDDED = pathlib.Path({str(site / 'embedded')!r});"
        "from facecli.cli import run; sys.exit(run(['verify', *sys.argv[1:]]))"
    )
    pair = [examples / "hopper.jpg", examples / "collins.jpg"]
    done = subprocess.run([sys.executable, "-c", code, *pair], capture_output=True, check=False)
    assert done.returncode == 4
    assert b"dlib_resnet.onnx is damaged" in done.stderr


@pytest.mark.parametrize("args", [("models",), ("plugins",)])
def test_a_group_without_a_verb_shows_its_help(run_cli: Callable, args: tuple[str, ...]) -> None:
    done = run_cli(*args)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr.decode()


def test_a_default_that_json_can_not_hold_is_shown_as_text(run_cli: Callable, plugin: Callable) -> None:
    parameters = "{'where': Path('/x'), 'rate': float('nan'), 'n': 1}"
    env = plugin(f"DetectorPlugin('odd', 'Odd', load=print, landmarks=False, parameters={parameters})")
    done = run_cli("plugins", "info", "odd", "--json", env=env)
    assert done.returncode == 0, done.errors
    assert done.json["plugins"][0]["parameters"] == {"where": "/x", "rate": "nan", "n": 1}


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Make a distribution with the detector "odd", a Python expression; returns the environment that has it."""

    def make(descriptor: str) -> dict[str, str]:
        info = tmp_path / "odd-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[facecli.detectors]\nodd = odd\n")
        head = "from pathlib import Path\nfrom facecli.contract import DetectorPlugin, hookimpl\n"
        (tmp_path / "odd.py").write_text(f"{head}@hookimpl\ndef facecli_detectors():\n    yield {descriptor}\n")
        return {"PYTHONPATH": str(tmp_path)}

    return make
