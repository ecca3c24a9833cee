"""Inputs that no node reads are dropped from an ONNX file, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.models.arrival.unread_inputs import drop_unread_inputs

onnx: Any = pytest.importorskip("onnx", reason="making a model needs onnx")
helper = onnx.helper
FLOAT = onnx.TensorProto.FLOAT


def value(name: str) -> Any:
    return helper.make_tensor_value_info(name, FLOAT, [1])


def model(inputs: list[str], nodes: list[Any], outputs: list[str], weights: tuple[str, ...] = ()) -> bytes:
    tensors = [helper.make_tensor(name, FLOAT, [1], [2.0]) for name in weights]
    graph = helper.make_graph(
        nodes, "tést", [value(name) for name in inputs], [value(name) for name in outputs], tensors
    )
    made = helper.make_model(graph, producer_name="tests", opset_imports=[helper.make_opsetid("", 18)])
    content: bytes = made.SerializeToString(deterministic=True)
    return content


def test_unread_inputs_go_and_the_rest_stays() -> None:
    nodes = [helper.make_node("Mul", ["x", "w"], ["y"])]
    content, dropped = drop_unread_inputs(model(["x", "b", "w", "a"], nodes, ["y"], ("w",)))
    assert dropped == ("a", "b")
    assert content == model(["x", "w"], nodes, ["y"], ("w",))


def test_a_file_without_any_is_left_alone() -> None:
    content = model(["x"], [helper.make_node("Relu", ["x"], ["y"])], ["y"])
    assert drop_unread_inputs(content) == (content, ())
    assert drop_unread_inputs(content)[0] is content


def test_an_input_that_a_branch_reads_or_that_is_an_output_stays() -> None:
    branches = {
        f"{which}_branch": helper.make_graph([helper.make_node("Relu", [name], ["r"])], which, [], [value("r")])
        for which, name in (("then", "x"), ("else", "z"))
    }
    condition = helper.make_tensor_value_info("c", onnx.TensorProto.BOOL, [])
    nodes = [helper.make_node("If", ["c"], ["y"], **branches)]
    graph = helper.make_graph(nodes, "g", [condition, *map(value, "xzpq")], [value("y"), value("p")])
    content, dropped = drop_unread_inputs(helper.make_model(graph).SerializeToString())
    assert dropped == ("q",)
    assert [entry.name for entry in onnx.load_from_string(content).graph.input] == ["c", "x", "z", "p"]


@given(st.binary(max_size=60) | st.integers(1, 60).map(lambda end: model(["x", "a"], [], ["x"])[:end]))
def test_bytes_that_are_no_model_are_refused_or_unchanged(content: bytes) -> None:
    try:
        left, dropped = drop_unread_inputs(content)
    except ValueError as error:
        assert str(error).startswith("no ONNX model: ")
    else:
        assert dropped or left is content


def test_the_file_of_opencv_loses_29(shared: Any) -> None:
    original = (shared / "models" / "face_recognition_sface_2021dec_int8bq.onnx").read_bytes()
    content, dropped = drop_unread_inputs(original)
    assert len(dropped) == 29 and dropped[0] == "conv_10_conv2d_weight"
    before, after = onnx.load_from_string(original), onnx.load_from_string(content)
    del before.graph.input[:]
    del after.graph.input[:]
    assert before == after
