"""Devices as users name them become ONNX Runtime providers with their options."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facecli.cli.wording import option
from facecli.errors import DeviceError, UsageError
from facecli.inference import libraries, providers
from facecli.inference.providers import Tuning
from facecli.inference.session import open_session
from facecli.models.entries.shipped import EMBEDDED

ONET = EMBEDDED / "mtcnn_onet.onnx"
CPU = ("CPUExecutionProvider", {})


def test_the_cpu_comes_last_in_every_chain() -> None:
    for kind in providers.DEVICES:
        assert providers.chain(kind, "", Tuning())[-1] == CPU


@pytest.mark.parametrize(
    ("device", "first"),
    [
        ("cpu", CPU),
        ("cuda", ("CUDAExecutionProvider", {"device_id": "0"})),
        ("cuda:2", ("CUDAExecutionProvider", {"device_id": "2"})),
        ("openvino", ("OpenVINOExecutionProvider", {"num_of_threads": "3"})),
        ("openvino:gpu", ("OpenVINOExecutionProvider", {"device_type": "GPU", "num_of_threads": "3"})),
        ("directml:1", ("DmlExecutionProvider", {"device_id": "1"})),
        ("xnnpack", ("XnnpackExecutionProvider", {"intra_op_num_threads": "3"})),
        ("coreml", ("CoreMLExecutionProvider", {})),
    ],
)
def test_a_device_becomes_a_provider_with_its_options(device: str, first: tuple[str, dict[str, str]]) -> None:
    assert providers.chain(*providers.split(device), Tuning(), threads=3)[0] == first


def test_tensorrt_leaves_what_it_can_not_do_to_cuda_on_the_same_device() -> None:
    names = providers.chain("tensorrt", "1", Tuning())
    assert names[1:] == [("CUDAExecutionProvider", {"device_id": "1"}), CPU]


def test_options_of_the_user_go_to_the_provider_that_they_name() -> None:
    given = {"tensorrt": {"trt_fp16_enable": "1"}, "cuda": {"device_id": "3", "do_copy_in_default_stream": "0"}}
    (tensorrt, cuda, cpu) = providers.chain("tensorrt", "", Tuning(given, cache=Path("engines")))
    assert tensorrt[1]["trt_fp16_enable"] == "1"
    assert tensorrt[1]["trt_engine_cache_path"] == "engines"
    assert cuda[1] == {"device_id": "3", "do_copy_in_default_stream": "0"}
    assert cpu == CPU


@pytest.mark.parametrize(("device", "name"), [("cpu", "cuda"), ("openvino", "tensorrt"), ("auto", "coreml")])
def test_an_option_for_a_device_that_is_not_in_use_is_refused(device: str, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is given an option and is not in use") as caught:
        providers.check_options(device, Tuning({name: {"x": "1"}}))
    assert f"; --device {device} uses " in caught.value.text(option)


def test_an_option_for_no_device_is_refused() -> None:
    with pytest.raises(UsageError, match=r"gpu is given an option .* there are cpu, cuda"):
        providers.check_options("cpu", Tuning({"gpu": {"x": "1"}}))


openvino = pytest.mark.skipif(
    "OpenVINOExecutionProvider" not in libraries.import_onnxruntime().get_available_providers(),
    reason="needs onnxruntime-openvino: tox run -e openvino",
)


@openvino
def test_openvino_runs_and_agrees_and_keeps_what_it_compiled(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).uniform(-1, 1, (3, 3, 48, 48)).astype(np.float32)
    session = open_session(ONET, device="openvino:cpu", tuning=Tuning(cache=tmp_path))
    assert session.provider == "OpenVINOExecutionProvider"
    assert list(tmp_path.iterdir()) != []
    for name, values in open_session(ONET).run({"pixels": pixels}).items():
        np.testing.assert_allclose(session.run({"pixels": pixels})[name], values, atol=1e-4)


@openvino
def test_what_openvino_does_not_have_is_an_error() -> None:
    with pytest.raises(DeviceError, match="openvino does not run here"):
        open_session(ONET, device="openvino:npu")
    tuning = Tuning({"openvino": {"no_such_option": "1"}})
    with pytest.raises(DeviceError, match="openvino does not run here: Invalid OpenVINO EP option: no_such_option"):
        open_session(ONET, device="openvino", tuning=tuning)
