"""`facecli models` through the real command line, on the models that are in the wheel and on a damaged one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def test_models_list_info_path_verify(run_cli: Callable, tmp_path: Path) -> None:
    empty = {"FACECLI_HOME": str(tmp_path)}  # the home that the other tests share holds what they fetched
    rows = {row["id"]: row for row in run_cli("models", "list", "--json", env=empty).json["models"]}
    assert rows["mtcnn"]["installed"] is True
    assert rows["mobilefacenet"]["installed"] is False
    assert rows["dlib-resnet"]["licence"] == "CC0-1.0"
    info = run_cli("models", "info", "dlib-resnet", "--json", env=empty).json["model"]
    assert (info["operating_point"]["threshold"], info["publisher_point"]["threshold"]) == (0.4782, 0.6)
    assert info["crop"]["width"] == 150
    files = run_cli("models", "path", "mtcnn", "--json", env=empty).json["files"]
    assert all(Path(file["path"]).is_file() for file in files)
    verified = run_cli("models", "verify", "--json", env=empty).json["files"]
    assert {row["state"] for row in verified} == {"ok"}
    assert all(row["selftest_difference"] < 1e-3 for row in verified if row["file"].endswith(".onnx"))
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


def test_a_damaged_installation_is_told(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    """A copy of the package whose recognizer was cut short: refused before it gives wrong answers."""
    import facecli.models

    package = Path(facecli.models.__file__).parent
    site = tmp_path / "site"
    shutil.copytree(package / "embedded", site / "embedded")
    (site / "embedded" / "sface.onnx").write_bytes(b"short")
    code = (
        "import sys, pathlib; from facecli.models.entries import shipped;"
        f"shipped.EMBEDDED = pathlib.Path({str(site / 'embedded')!r});"
        "from facecli.cli.main import run; sys.exit(run(['verify', *sys.argv[1:]]))"
    )
    pair = [examples / "hopper.jpg", examples / "collins.jpg"]
    done = subprocess.run([sys.executable, "-c", code, *pair], capture_output=True, check=False)
    assert done.returncode == 4
    assert b"sface.onnx" in done.stderr


def test_the_group_without_a_verb_shows_its_help(run_cli: Callable) -> None:
    done = run_cli("models")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr.decode()
