from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from facecli import runtime
from facecli.errors import DeviceError, ModelError
from facecli.models.catalogue import EMBEDDED

ONET = EMBEDDED / "mtcnn_onet.onnx"


def test_a_session_runs_and_counts_its_time() -> None:
    session = runtime.open_session(ONET)
    assert session.input_shapes == {"pixels": (None, 3, 48, 48)}
    out = session.run({"pixels": np.zeros((2, 3, 48, 48), np.float32)})
    assert out["landmarks"].shape == (2, 10)
    assert session.provider == "CPUExecutionProvider"
    assert session.runs == 1
    assert session.seconds > 0


def test_cuda_without_cuda_is_an_error_with_a_reason() -> None:
    if "CUDAExecutionProvider" in runtime.import_onnxruntime().get_available_providers():
        pytest.skip("this is the GPU wheel")
    with pytest.raises(DeviceError, match="CUDA does not run here: the installed onnxruntime has no CUDA provider"):
        runtime.open_session(ONET, device="cuda")
    assert runtime.open_session(ONET, device="auto").provider == "CPUExecutionProvider"


@pytest.mark.parametrize("device", ["tpu", "cpu:1", "cuda:x", "cuda:-1", ""])
def test_an_unknown_device_is_refused(device: str) -> None:
    with pytest.raises(DeviceError, match="unknown device"):
        runtime.open_session(ONET, device=device)


def test_a_file_that_is_no_model_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"x\.onnx can not be loaded") as caught:
        runtime.open_session(path)
    assert "\n" not in str(caught.value)


def test_without_onnxruntime_the_line_to_type_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DeviceError, match=r'pip install "facecli\[cpu\]"'):
        runtime.import_onnxruntime()


def test_many_threads_share_one_session() -> None:
    made = 0
    gate = threading.Barrier(8)

    def locate(_model: str, _file: str | None) -> Path:
        nonlocal made
        made += 1
        return ONET

    shared = runtime.OnnxRuntime(locate)

    def ask(_: int) -> runtime.OnnxSession:
        gate.wait()
        return shared.session("m")

    with ThreadPoolExecutor(8) as pool:
        sessions = set(pool.map(ask, range(8)))
    assert len(sessions) == made == 1
    assert list(shared.sessions) == ["m"]


def test_a_failed_load_is_told_to_everyone_who_asks() -> None:
    def locate(_model: str, _file: str | None) -> Path:
        raise ModelError("gone")

    broken = runtime.OnnxRuntime(locate)
    for _ in range(2):
        with pytest.raises(ModelError, match="gone"):
            broken.session("m")
    assert broken.sessions == {}


def test_answers_do_not_depend_on_the_number_of_threads() -> None:
    pixels = np.random.default_rng(0).uniform(0, 255, (9, 3, 48, 48)).astype(np.float32)
    one, two = (runtime.open_session(ONET, threads=n).run({"pixels": pixels}) for n in (1, 2))
    np.testing.assert_allclose(one["landmarks"], two["landmarks"], atol=1e-5)


def test_available_cores_is_positive() -> None:
    assert runtime.available_cores() >= 1
