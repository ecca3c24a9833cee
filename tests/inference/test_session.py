"""Sessions run on the device that was asked for, or say why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from facecli.cli.wording import option
from facecli.errors import DeviceError, ModelError
from facecli.inference import libraries
from facecli.inference.providers import DEVICES, Tuning
from facecli.inference.session import open_session
from facecli.models.entries.shipped import EMBEDDED

ONET = EMBEDDED / "mtcnn_onet.onnx"


def test_a_session_runs_and_counts_its_time() -> None:
    session = open_session(ONET)
    assert session.input_shapes == {"pixels": (None, 3, 48, 48)}
    out = session.run({"pixels": np.zeros((2, 3, 48, 48), np.float32)})
    assert out["landmarks"].shape == (2, 10)
    assert session.provider == "CPUExecutionProvider"
    assert session.runs == 1
    assert session.seconds > 0


def test_cuda_without_cuda_is_an_error_with_a_reason() -> None:
    if "CUDAExecutionProvider" in libraries.import_onnxruntime().get_available_providers():
        pytest.skip("this is the GPU wheel")
    with pytest.raises(DeviceError, match="cuda does not run here: the installed onnxruntime has no CUDAExec"):
        open_session(ONET, device="cuda")
    assert open_session(ONET, device="auto").provider == "CPUExecutionProvider"


@pytest.mark.parametrize("device", ["tpu", "cpu:1", "cuda:x", "cuda:", "cuda:-1", "openvino:a b", "auto:1", ""])
def test_an_unknown_device_is_refused(device: str) -> None:
    with pytest.raises(DeviceError, match="unknown device"):
        open_session(ONET, device=device)


class CudaWheel:
    """onnxruntime as the GPU wheel shows itself, with a CUDA provider that works as told (there is no GPU here)."""

    def __init__(self, failure: str | None, runs_on: str) -> None:
        import onnxruntime

        self.SessionOptions, self.__file__, self.__version__ = onnxruntime.SessionOptions, onnxruntime.__file__, "0"
        self.failure, self.runs_on, self.asked = failure, runs_on, []

    def get_available_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def InferenceSession(self, path: str, options: object, *, providers: list, **more: object) -> object:  # noqa: N802
        import onnxruntime

        assert more == {"enable_fallback": 0}
        self.asked.append(providers)
        if len(providers) > 1 and self.failure:
            raise RuntimeError(self.failure)
        inner = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        real = inner.get_providers()
        inner.get_providers = lambda: [self.runs_on, *real] if len(providers) > 1 else real
        return inner


def wheel(monkeypatch: pytest.MonkeyPatch, failure: str | None, runs_on: str = "CUDAExecutionProvider") -> CudaWheel:
    fake = CudaWheel(failure, runs_on)
    monkeypatch.setattr(libraries, "prepare_cuda", lambda _: None)  # as if there were a driver
    monkeypatch.setattr(libraries, "import_onnxruntime", lambda: fake)
    return fake


def test_a_gpu_that_fails_at_load_is_an_error_with_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(monkeypatch, "CUDA failure 101: invalid device ordinal")
    with pytest.raises(DeviceError, match="invalid device ordinal") as caught:
        open_session(ONET, device="cuda:9")
    assert caught.value.text(option).endswith("; use --device cpu, see `facecli doctor`")


def test_a_wheel_that_slips_to_the_cpu_without_a_word_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(monkeypatch, None, runs_on="CPUExecutionProvider")
    with pytest.raises(DeviceError, match="cuda does not run here"):
        open_session(ONET, device="cuda")


def test_auto_takes_cuda_if_it_runs_and_the_cpu_if_not(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = wheel(monkeypatch, None)
    assert open_session(ONET, device="auto").provider == "CUDAExecutionProvider"
    assert fake.asked[0][0] == ("CUDAExecutionProvider", {"device_id": "0"})
    wheel(monkeypatch, "no driver")
    assert open_session(ONET, device="auto").provider == "CPUExecutionProvider"


def test_without_a_driver_cuda_is_not_tried_and_the_loader_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loud(CudaWheel):
        def preload_dlls(self) -> None:
            raise AssertionError("asked although there is no driver")

    fake = Loud(None, "CUDAExecutionProvider")
    monkeypatch.setattr(libraries, "import_onnxruntime", lambda: fake)
    monkeypatch.setattr(libraries, "DRIVER", "libno_such_driver.so.1")
    with pytest.raises(DeviceError, match=r"cuda does not run here: libno_such_driver\.so\.1: cannot open"):
        open_session(ONET, device="cuda")
    assert open_session(ONET, device="auto").provider == "CPUExecutionProvider"


def test_every_device_that_the_wheel_lacks_is_an_error_that_says_what_it_has() -> None:
    available = libraries.import_onnxruntime().get_available_providers()
    lacking = [name for name, device in DEVICES.items() if device.provider not in available]
    assert len(lacking) >= 4  # no wheel has all of them
    for name in lacking:
        with pytest.raises(DeviceError, match=rf"^{name} does not run here: .* has no \w+; it has .*cpu"):
            open_session(ONET, device=name)


def test_a_file_that_is_no_model_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"x\.onnx can not be loaded") as caught:
        open_session(path)
    assert "\n" not in str(caught.value)


def test_session_options_reach_onnx_runtime(tmp_path: Path) -> None:
    tuning = Tuning(session_options={"session.load_model_format": "ORT"})
    with pytest.raises(ModelError, match="mtcnn_onet"):  # which it is not
        open_session(ONET, tuning=tuning)


def test_answers_do_not_depend_on_the_number_of_threads() -> None:
    pixels = np.random.default_rng(0).uniform(0, 255, (9, 3, 48, 48)).astype(np.float32)
    one, two = (open_session(ONET, threads=n).run({"pixels": pixels}) for n in (1, 2))
    np.testing.assert_allclose(one["landmarks"], two["landmarks"], atol=1e-5)


@pytest.mark.parametrize(
    ("version", "chosen", "expected"),
    [
        ("1.31.1", {}, {"allow_spinning": "1", "spin_duration_us": "30"}),
        ("1.26.0", {}, {"allow_spinning": "1", "spin_duration_us": "30"}),
        ("1.25.1", {}, {"allow_spinning": "0"}),
        ("1.30rc1", {}, {"allow_spinning": "1", "spin_duration_us": "30"}),
        ("1.27.0.dev1", {"session.intra_op.spin_duration_us": "7"}, {"allow_spinning": "1", "spin_duration_us": "7"}),
        ("1.31.1", {"session.intra_op.allow_spinning": "1"}, {"allow_spinning": "1"}),
    ],
)
def test_idle_threads_spin_for_a_short_while_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, version: str, chosen: dict[str, str], expected: dict[str, str]
) -> None:
    set_entries: dict[str, str] = {}

    class Options(onnxruntime.SessionOptions):  # type: ignore[misc] # untyped
        def add_session_config_entry(self, name: str, value: str) -> None:
            set_entries[name] = value
            super().add_session_config_entry(name, value)

    monkeypatch.setattr(onnxruntime, "SessionOptions", Options)
    monkeypatch.setattr(onnxruntime, "__version__", version)
    open_session(EMBEDDED / "emotion_facecli_resnet.onnx", tuning=Tuning(session_options=chosen))
    assert set_entries == {f"session.intra_op.{name}": value for name, value in expected.items()}
