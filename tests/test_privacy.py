"""Nothing is written outside the store, and nothing is asked of a network, whatever libraries would like to report."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facecli.pictures.codec import decode
from facecli.types import Limits

ROOT = Path(__file__).parents[1]
TELEMETRY = "ORT_DISABLE_TELEMETRY"  # read by ONNX Runtime 1.29 and later; older ones write nothing on Linux
VERIFY = ("--offline", "verify", str(ROOT / "examples" / "collins.jpg"), str(ROOT / "examples" / "hopper.jpg"))


@pytest.fixture
def home(tmp_path: Path, cli_env: dict[str, str]) -> dict[str, str]:
    """An environment with an empty home folder, from which a library takes its places, and no word on telemetry."""
    (tmp_path / "home").mkdir()
    names = {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "MPLCONFIGDIR", TELEMETRY}
    clean = {name: value for name, value in cli_env.items() if name not in names}
    return clean | {"HOME": str(tmp_path / "home"), "FACECLI_HOME": str(tmp_path / "store")}


def run(environment: dict[str, str], *command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(environment: dict[str, str]) -> list[str]:
    return sorted(str(path) for path in Path(environment["HOME"]).rglob("*"))


@pytest.mark.parametrize("arguments", [VERIFY, ("models", "verify")], ids=["verify", "models"])
def test_a_command_leaves_the_home_folder_empty(arguments, home):
    run(home, sys.executable, "-m", "facecli", *arguments)
    assert written(home) == []


def test_python_leaves_the_home_folder_empty(home, examples):
    program = "import sys, facecli; facecli.Faces().detect(sys.argv[1])"
    run(home, sys.executable, "-c", program, examples / "hopper.jpg")
    assert written(home) == []


def test_a_bundle_s_runner_leaves_the_home_folder_empty(home, tmp_path, examples):
    for name in ("collins", "hopper"):
        pixels = decode((examples / f"{name}.jpg").read_bytes(), name, Limits()).pixels
        np.save(tmp_path / name, pixels)
    run(home, sys.executable, "-m", "facecli", "export", "--bundle", tmp_path / "bundle")
    answer = run(home, sys.executable, "bundle/runner.py", "collins.npy", "hopper.npy", cwd=tmp_path)
    assert '"verified": false' in answer
    assert written(home) == []


def test_an_export_with_int8_leaves_the_home_folder_empty(torch, home):
    """It imports PyTorch, onnxscript and ONNX Runtime's tools for quantization."""
    program = """
import torch
from pathlib import Path
from facecli.export.graph import float16, optimize, quantize
import numpy as np, onnx, sys
net, crops = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)).eval(), torch.zeros(1, 3, 16, 16)
torch.onnx.export(net, (crops,), sys.argv[1], dynamo=True, external_data=False, input_names=["crops"])
file = Path(sys.argv[1])
optimize.simplify(onnx.load(file)); float16.convert(file); quantize.convert(file, [{"crops": crops.numpy()}])
"""
    run(home, sys.executable, "-c", program, Path(home["FACECLI_HOME"]).with_suffix(".onnx"))
    assert written(home) == []


def test_a_curve_leaves_the_home_folder_empty(home, tmp_path, examples):
    pytest.importorskip("matplotlib", reason="a curve is drawn by matplotlib")
    pairs = "file_a,file_b,same\ncollins.jpg,collins_variant.jpg,1\ncollins.jpg,hopper.jpg,0\n"
    (tmp_path / "pairs.csv").write_text(pairs)
    roc = ("--root", str(examples), "--roc", str(tmp_path / "roc.png"))
    run(home, sys.executable, "-m", "facecli", "evaluate", str(tmp_path / "pairs.csv"), *roc)
    assert (tmp_path / "roc.png").stat().st_size > 1000
    assert written(home) == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_no_socket_is_opened_while_a_model_is_loaded(home, tmp_path, examples):
    """ONNX Runtime 1.31 looks up where to send its records some 9 s after it was imported."""
    trace = tmp_path / "trace"
    strace = ("strace", "-f", "-qq", "-e", "trace=socket,connect,sendto", "-o", trace)
    program = "import sys, time, facecli; facecli.Faces().detect(sys.argv[1]); time.sleep(12)"
    run(home, *strace, sys.executable, "-c", program, examples / "hopper.jpg")
    assert "AF_INET" not in trace.read_text()


def test_a_user_who_has_set_the_variable_keeps_it(home):
    program = f"""
import os
from facecli.inference.libraries import import_onnxruntime, telemetry
import_onnxruntime()
print(os.environ["{TELEMETRY}"], telemetry())
"""
    told = f"as {TELEMETRY}=0 says, which you have set"
    assert run(home | {TELEMETRY: "0"}, sys.executable, "-c", program) == f"0 {told}\n"
    assert run(home, sys.executable, "-c", program) == "1 off\n"


def test_doctor_tells_and_leaves_the_home_folder_empty(home):
    checks = json.loads(run(home, sys.executable, "-m", "facecli", "doctor", "--json"))["checks"]
    assert [check["found"] for check in checks if check["check"] == "telemetry"] == ["off"]
    assert written(home) == []


def test_tests_report_nothing_either():
    assert os.environ[TELEMETRY] == "1"
