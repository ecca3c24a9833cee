"""Weights that lie in files beside a model are put into it, wherever in the graph they are used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.errors import ModelError
from facecli.inference.session import open_session
from facecli.models.arrival.external_data import join_external_data
from facecli.models.arrival.mending import mend

onnx: Any = pytest.importorskip("onnx", reason="making a model needs onnx")
helper = onnx.helper
FLOAT = onnx.TensorProto.FLOAT


def model() -> Any:
    """A network whose weights are an initializer, an attribute, and inside a branch."""
    arrays = {name: np.arange(4, dtype=np.float32) + at for at, name in enumerate("abc")}
    tensors = {name: onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()}
    out = helper.make_tensor_value_info("r", FLOAT, [4])
    branch = helper.make_graph([helper.make_node("Add", ["x", "c"], ["r"])], "then", [], [out], [tensors["c"]])
    other = helper.make_graph([helper.make_node("Identity", ["x"], ["r"])], "else", [], [out])
    nodes = [
        helper.make_node("Constant", [], ["b"], value=tensors["b"]),
        helper.make_node("If", ["yes"], ["n"], then_branch=branch, else_branch=other),
        helper.make_node("Sum", ["n", "a", "b"], ["y"]),
    ]
    entries = [helper.make_tensor_value_info("x", FLOAT, [4]), helper.make_tensor_value_info("yes", 9, [])]
    graph = helper.make_graph(nodes, "g", entries, [helper.make_tensor_value_info("y", FLOAT, [4])], [tensors["a"]])
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])


@pytest.fixture
def parted(tmp_path: Path) -> Path:
    path = tmp_path / "net.onnx"
    where: dict[str, Any] = {"location": "net.onnx.data", "size_threshold": 0, "convert_attribute": True}
    onnx.save(model(), path, save_as_external_data=True, **where)
    return path


def test_all_weights_come_into_the_file(parted: Path, tmp_path: Path) -> None:
    content, files = join_external_data(parted.read_bytes(), tmp_path)
    assert files == ("net.onnx.data",)
    (tmp_path / "net.onnx.data").unlink()
    whole = tmp_path / "whole.onnx"
    whole.write_bytes(content)
    onnx.checker.check_model(onnx.load(whole))
    (tmp_path / "expected.onnx").write_bytes(model().SerializeToString())
    feeds = {"x": np.ones(4, np.float32), "yes": np.array(True)}
    answers = [open_session(tmp_path / name).run(feeds)["y"] for name in ("whole.onnx", "expected.onnx")]
    assert (answers[0] == answers[1]).all()


def test_a_whole_model_stays_as_it_is(tmp_path: Path) -> None:
    content = model().SerializeToString()
    assert join_external_data(content, tmp_path)[0] is content


@pytest.mark.parametrize("place", ["../secret", "/etc/passwd", "a/b", "..", ""])
def test_only_files_beside_the_model_are_read(place: str, parted: Path) -> None:
    changed = onnx.load(parted, load_external_data=False)
    for entry in changed.graph.initializer[0].external_data:
        entry.value = place if entry.key == "location" else entry.value
    parted.write_bytes(changed.SerializeToString())
    with pytest.raises(ModelError, match=r"net.onnx: its weights lie in .*, not beside it"):
        mend(parted)


@pytest.mark.parametrize(("key", "value"), [("offset", "-1"), ("length", "99999"), ("offset", "99999")])
def test_a_place_outside_the_file_is_refused(key: str, value: str, parted: Path) -> None:
    changed = onnx.load(parted, load_external_data=False)
    for entry in changed.graph.initializer[0].external_data:
        entry.value = value if entry.key == key else entry.value
    parted.write_bytes(changed.SerializeToString())
    with pytest.raises(ModelError, match=r"net.onnx.data is shorter than the model says"):
        mend(parted)


def test_what_is_no_model_is_left_to_onnx_runtime(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"words")
    (tmp_path / "x.pth").write_bytes(b"words")
    assert mend(tmp_path / "x.onnx") is None
    assert mend(tmp_path / "x.pth") is None
