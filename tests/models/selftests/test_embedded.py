"""The embedded models' self-test passes here, and fails for a model that computes something else."""

import numpy as np
import pytest

from facecli.errors import ModelError
from facecli.inference.session import open_session
from facecli.models.entries.shipped import EMBEDDED
from facecli.models.selftests import embedded
from facecli.models.selftests.rule import TOLERANCE, Rule, distance, pattern

FILES = [
    *("dlib_resnet.onnx", "emotion_facecli_resnet.onnx", "facecli_traits.onnx"),
    *("mtcnn_onet.onnx", "mtcnn_pnet.onnx", "mtcnn_rnet.onnx"),
    "sface.onnx",
    "yunet_2023mar.onnx",
]


def test_every_embedded_file_has_one():
    assert embedded.tested_files() == FILES == sorted(path.name for path in EMBEDDED.glob("*.onnx"))


@pytest.mark.parametrize("file", FILES)
def test_embedded_files_pass(file):
    least = 1e-5 if embedded.tolerance(file) == TOLERANCE else embedded.tolerance(file)  # int8: another CPU's rounding
    assert embedded.largest_difference(open_session(EMBEDDED / file), file) < least


def test_the_pattern_is_fixed():
    rule = Rule("x", (2, 4), 127.5, 0.5)
    pixels = pattern(rule) / 2 + 127.5
    assert pixels.ravel().tolist() == [i * 2654435761 // 8192 % 256 for i in range(8)]


@pytest.mark.parametrize("file", FILES)
def test_a_perturbed_model_fails(file, tmp_path):
    onnx = pytest.importorskip("onnx", reason="changing a model needs onnx")
    model = onnx.load(EMBEDDED / file)
    weight = max(model.graph.initializer, key=lambda entry: len(entry.raw_data))
    values = onnx.numpy_helper.to_array(weight)
    other = values * values.dtype.type(1.05) if values.dtype.kind == "f" else values // 2
    weight.raw_data = other.tobytes()
    onnx.save(model, tmp_path / file)
    assert embedded.largest_difference(open_session(tmp_path / file), file) > embedded.tolerance(file)


class Fake:
    def __init__(self, outputs):
        self.outputs = outputs

    def run(self, _):
        return self.outputs


def test_missing_outputs_and_nan_are_infinitely_far():
    assert embedded.largest_difference(Fake({}), "dlib_resnet.onnx") == float("inf")
    broken = {"embeddings": np.full((2, 128), np.nan, np.float32)}
    assert embedded.largest_difference(Fake(broken), "dlib_resnet.onnx") == float("inf")


@pytest.mark.parametrize("broken", ["a", "b"])
def test_a_nan_in_any_output_is_seen(broken):
    wanted = {"a": [1.0, 2.0], "b": [3.0, 4.0]}
    assert distance(wanted, wanted) == 0
    assert distance(wanted | {broken: [float("nan"), 2.0]}, wanted) == float("inf")


def test_an_unknown_file_has_none():
    with pytest.raises(ModelError, match="has no self-test"):
        embedded.largest_difference(Fake({}), "other.onnx")
