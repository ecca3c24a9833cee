"""One session per model file, whoever asks for it first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from facecli.errors import ModelError
from facecli.inference.runtime import OnnxRuntime
from facecli.inference.session import OnnxSession
from facecli.models.entries.shipped import EMBEDDED

ONET = EMBEDDED / "mtcnn_onet.onnx"


def test_many_threads_share_one_session() -> None:
    made = 0
    gate = threading.Barrier(8)

    def locate(_model: str, _file: str | None) -> Path:
        nonlocal made
        made += 1
        return ONET

    shared = OnnxRuntime(locate)

    def ask(_: int) -> OnnxSession:
        gate.wait()
        return shared.session("m")

    with ThreadPoolExecutor(8) as pool:
        sessions = set(pool.map(ask, range(8)))
    assert len(sessions) == made == 1
    assert list(shared.sessions) == ["m"]


def test_a_failed_load_is_told_to_everyone_who_asks() -> None:
    def locate(_model: str, _file: str | None) -> Path:
        raise ModelError("gone")

    broken = OnnxRuntime(locate)
    for _ in range(2):
        with pytest.raises(ModelError, match="gone"):
            broken.session("m")
    assert broken.sessions == {}
