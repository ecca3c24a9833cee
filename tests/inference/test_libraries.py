"""ONNX Runtime and NVIDIA's libraries: loaded quietly, or a line that says what to do."""

from __future__ import annotations

import sys

import pytest

from facecli.errors import DeviceError
from facecli.inference import libraries


def test_without_onnxruntime_the_line_to_type_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DeviceError, match=r'pip install "facecli\[cpu\]"'):
        libraries.import_onnxruntime()


def test_with_a_driver_the_prints_of_the_preloading_stay_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    class Printing:
        def preload_dlls(self) -> None:
            sys.stdout.write("Failed to load libcudart\n")

        def set_default_logger_severity(self, level: int) -> None:
            assert level == libraries.FATAL

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(libraries, "DRIVER", "libc.so.6")
        assert libraries.prepare_cuda(Printing()) is None
    assert capsys.readouterr() == ("", "")
