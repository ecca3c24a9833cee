"""Errors of ONNX Runtime in our words; the texts are its own, of version 1.31."""

from __future__ import annotations

import pytest

from facecli.inference.reasons import LONGEST, reason_of, told

BEGINNING = "[ONNXRuntimeError] : 1 : FAIL : Load model from /tmp/tmpx1/theirs.onnx failed:"
SOURCE = "/onnxruntime_src/onnxruntime/core/graph/model.cc:256 Model::Model(onnx::ModelProto&&, const bool&) "
KNOWN = {
    f"{BEGINNING}Protobuf parsing failed.": ("it is no ONNX model, or a part of one", "copy or fetch it again"),
    f"{BEGINNING}{SOURCE}Unsupported model IR version: 14, max supported IR version: 11\n": (
        "it is of ONNX's IR version 14, this onnxruntime reads up to 11",
        "update onnxruntime, or export it for an older one",
    ),
    f"{BEGINNING}{SOURCE}ONNX Runtime only *guarantees* support for models stamped with official released onnx opset "
    "versions. Opset 27 is under development and support for this is limited. Current official support for domain "
    "ai.onnx is till opset 26.\n": (
        "it uses ONNX's operator set 27, this onnxruntime has up to 26",
        "update onnxruntime, or export it for an older one",
    ),
    f"{BEGINNING}Fatal error: my.ops:Foo(-1) is not a registered function/op": (
        "ONNX Runtime has no operator my.ops:Foo",
        "export it with ONNX's standard operators alone",
    ),
    f'{BEGINNING}This is an invalid model. In Node, ("", Fooo, "", -1) : ("f": tensor(float),) -> ("e": tensor(float),)'
    " , Error No Op registered for Fooo with domain_version of 17": (
        "ONNX Runtime has no operator Fooo",
        "export it with ONNX's standard operators alone",
    ),
    "[ONNXRuntimeError] : 1 : FAIL : External data path validation failed for initializer: w. Error: "
    "tensorprotoutils.cc:461 ValidateExternalDataPathFromDir External data path does not exist: "
    '"/tmp/tmpx1/gone.data"': ("its weights lie in gone.data, which is not beside it", "put gone.data there"),
    "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running DequantizeLinear node. Name:'dq' "
    "Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/quantization/quantize_linear.cc:81 void "
    "onnxruntime::PrepareForQDQ(const TensorShape&, int64_t&) quant_block_size == 0 was false. block_size must be 0 "
    "for per-tensor quantization.\n": (
        "its node dq (DequantizeLinear) fails: block_size must be 0 for per-tensor quantization",
        None,
    ),
    "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input: crops for the following indices\n "
    "index: 2 Got: 112 Expected: 160\n Please fix either the inputs/outputs or the model.": (
        "axis 2 of its input crops must be 160 long, not 112",
        None,
    ),
    "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Unexpected input data type. Actual: (tensor(float)) , expected: "
    "(tensor(float16))": ("its input must be float16, not float", None),
    "libcuda.so.1: cannot open shared object file: No such file or directory": (
        "libcuda.so.1: cannot open shared object file: No such file or directory",
        None,
    ),
}


@pytest.mark.parametrize(("message", "words"), KNOWN.items())
def test_a_message_that_is_known(message: str, words: tuple[str, str | None]) -> None:
    reason = reason_of(RuntimeError(message))
    assert (reason.text, reason.hint) == words


def test_any_other_message_has_no_source_no_folder_and_an_end() -> None:
    text = reason_of(RuntimeError(f"{BEGINNING}{SOURCE}/a/b/c.onnx has {'words ' * 100}\nand lines")).text
    assert text.startswith("c.onnx has words words")
    assert len(text) == LONGEST
    assert "\n" not in text


def test_an_error_of_others_keeps_its_class() -> None:
    foreign = type("Fail", (Exception,), {"__module__": "onnxruntime.capi.onnxruntime_pybind11_state"})
    assert told(foreign(f"{BEGINNING}Protobuf parsing failed.")) == "it is no ONNX model, or a part of one"
    assert told(ValueError("no")) == "ValueError: no"
