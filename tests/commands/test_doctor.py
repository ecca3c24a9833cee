"""`facecli doctor`: healthy here, and each ailment under its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def checks(run: Any) -> dict[str, dict[str, Any]]:
    return {row["check"]: row for row in run.json["checks"]}


def test_doctor_is_content_here_and_not_with_cuda(run_cli: Command) -> None:
    done = run_cli("doctor", "--device", "cpu", "--json")
    assert done.returncode == 0, done.json
    assert done.json["healthy"] is True
    assert any("self-test" in check["found"] for check in done.json["checks"])
    if "CUDAExecutionProvider" not in str(done.json):
        assert run_cli("doctor", "--device", "cuda", "--json").returncode == 4


def test_doctor_finds_both_onnxruntime_wheels(run_cli: Command, tmp_path: Path) -> None:
    fake = tmp_path / "onnxruntime_gpu-1.0.dist-info"
    fake.mkdir()
    (fake / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.0\n")
    done = run_cli("doctor", "--json", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 4
    (check,) = [c for c in done.json["checks"] if c["check"] == "onnxruntime wheels"]
    assert check["ok"] is False
    assert "overwrite each other" in check["found"]


@pytest.mark.parametrize("device", [(), ("--device", "cpu")])
def test_strict_tells_where_the_nodes_of_each_embedded_model_ran(
    run_cli: Command, device: tuple[str, ...], tmp_path: Path
) -> None:
    run = run_cli("doctor", "--strict", *device, "--json", env={"FACECLI_HOME": str(tmp_path)})
    assert list((tmp_path / "partial").iterdir()) == []  # where the profiles were: `models prune` looks there
    assert run.returncode == 0
    found = checks(run)
    for file in ("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet", "dlib_resnet", "sface", "yunet_2023mar"):
        row = found[f"nodes of {file}.onnx"]
        assert row["ok"]
        assert "ExecutionProvider" in row["found"]


def test_without_strict_nothing_is_profiled(run_cli: Command) -> None:
    assert not any(name.startswith("nodes of") for name in checks(run_cli("doctor", "--json")))


def test_a_device_that_does_not_run_is_unwell_and_the_rest_is_told(run_cli: Command) -> None:
    run = run_cli("doctor", "--strict", "--device", "coreml", "--json")
    assert run.returncode == 4
    found = checks(run)
    assert not found["device coreml"]["ok"]
    assert not found["nodes"]["ok"]
    assert found["model mtcnn_pnet.onnx"]["ok"]


def test_options_reach_the_commands(run_cli: Command, examples: Path) -> None:
    picture = str(examples / "collins.jpg")
    refused = run_cli("detect", picture, "--device", "cpu", "--provider-option", "cuda.x=1")
    assert refused.returncode == 2
    assert refused.errors == ["facecli: error: cuda is given an option and is not in use; --device cpu uses cpu"]
    for option, value in (("--provider-option", "x"), ("--provider-option", "cuda=1"), ("--session-option", "=1")):
        run = run_cli("detect", picture, option, value)
        assert run.returncode == 2
        assert f"can not read {option}" in run.errors[0]
    entry = "session.load_model_format=ORT"  # which the embedded models are not
    run = run_cli("detect", picture, "--session-option", entry)
    assert run.returncode == 4


@pytest.mark.parametrize("device", ["cuda:", "nonsense"])
def test_no_device_is_refused(run_cli: Command, examples: Path, device: str) -> None:
    run = run_cli("detect", str(examples / "collins.jpg"), "--device", device)
    assert run.returncode == 4
    assert "unknown device" in run.errors[0]


def test_it_tells_whether_films_are_read_and_what_is_written(run_cli: Command, tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")
    row = checks(run_cli("doctor", "--json"))["films"]
    assert row["ok"]
    assert row["found"].startswith("PyAV ")
    assert "mpeg4" in row["found"].partition("writes ")[2]
    (tmp_path / "av.py").write_text("raise ImportError('none here')\n")
    row = checks(run_cli("doctor", "--json", env={"PYTHONPATH": str(tmp_path)}))["films"]
    assert row == {"check": "films", "ok": True, "found": 'not read: films need PyAV; pip install "facecli[video]"'}
