"""Every built-in plugin passes the conformance kit, as far as its models are here."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.contract.plugin import PLUGINS
from facecli.errors import ModelError
from facecli.hosting.registry import Registry
from facecli.models import catalogue
from facecli.models.store import ModelStore
from facecli.testing import assert_conforms, check_attribute, check_recognizer

# These have to run: their models, if any, are in the wheel.
EMBEDDED = {"yunet", "mtcnn", "haar", "dlib-resnet", "sface", "emotion/facecli-resnet", "sort", "bytetrack"}
BUILT_IN = [(kind, name) for kind in PLUGINS for name in Registry(third_party=False).names(kind)]


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_built_in_plugin_conforms(kind, name, portrait, store):
    try:
        assert_conforms(name, kind, picture=portrait)
    except ModelError as error:
        assert name not in EMBEDDED, error
        pytest.skip(f"the model of {name} is not installed: {error.message}")


def test_generic_attribute_plugin_conforms_with_any_model_file(portrait, store, tmp_path):
    """A model that is not embedded, with a stand-in for its weights."""
    spec = catalogue.load("emotion/mini-xception")
    model = tmp_path / spec.files[0].name
    model.write_bytes(stand_in(len(spec.labels)))
    ModelStore().register(spec.id, [model], {"made by": "a test"})
    check_attribute("emotion/mini-xception", picture=portrait)


@pytest.mark.parametrize("name", ["facenet-vggface2", "mobilefacenet-112x96", "arcface-iresnet50"])
def test_generic_recognizer_conforms_with_any_model_file(name, portrait, store, tmp_path):
    """Those whose files are made by an export: bbox crops, aligned crops, and either kind of embeddings."""
    spec = catalogue.load(name)
    model = tmp_path / spec.files[0].name
    model.write_bytes(embedder(spec))
    ModelStore().register(spec.id, [model], {"made by": "a test"})
    check_recognizer(name, picture=portrait)


def embedder(spec):
    """An ONNX file from (n, 3, h, w) to (n, dim): the means of 4 x 4 fields, through random weights."""
    onnx = pytest.importorskip("onnx")
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.random.default_rng(0).standard_normal((48, spec.dim)).astype(np.float32)
    height, width = spec.crop.height // 4, spec.crop.width // 4
    graph = helper.make_graph(
        [
            helper.make_node(
                "AveragePool", ["crops"], ["fields"], kernel_shape=[height, width], strides=[height, width]
            ),
            helper.make_node("Flatten", ["fields"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["embeddings"]),
        ],
        "stand-in",
        [helper.make_tensor_value_info("crops", float32, ["n", 3, spec.crop.height, spec.crop.width])],
        [helper.make_tensor_value_info("embeddings", float32, ["n", spec.dim])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def stand_in(classes):
    """An ONNX file from (n, 1, 64, 64) to (n, classes) probabilities."""
    onnx = pytest.importorskip("onnx")
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.random.default_rng(0).standard_normal((1, classes)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pixels"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "stand-in",
        [helper.make_tensor_value_info("pixels", float32, ["n", 1, 64, 64])],
        [helper.make_tensor_value_info("probabilities", float32, ["n", classes])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def test_every_embedded_plugin_is_among_those_checked():
    assert {name for _, name in BUILT_IN} >= EMBEDDED
