"""A profile shows on which provider each node ran."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from facecli.inference import profiling
from facecli.inference.providers import Tuning
from facecli.inference.session import OnnxSession
from facecli.models.entries.shipped import EMBEDDED

ONET = EMBEDDED / "mtcnn_onet.onnx"


def test_a_profile_tells_where_each_node_ran(tmp_path: Path) -> None:
    def warm_up(session: OnnxSession) -> None:
        session.run({"pixels": np.zeros((1, 3, 48, 48), np.float32)})

    nodes = profiling.record(ONET, warm_up, tmp_path, device="cpu", tuning=Tuning())
    assert [path.name.startswith("mtcnn_onet") for path in tmp_path.iterdir()] == [True]
    assert {node.provider for node in nodes} == {"CPUExecutionProvider"}
    assert any("Conv" in node.operator for node in nodes)
    assert all(node.seconds >= 0 for node in nodes)
    assert profiling.strays(nodes, "cpu") == []
    strays = profiling.strays(nodes, "cuda:0")
    assert {"Conv", "FusedConv"} & {node.operator for node in strays}
    moved = [replace(node, provider="CUDAExecutionProvider") if node in strays else node for node in nodes]
    assert profiling.strays(moved, "cuda:0") == []
