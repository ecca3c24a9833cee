"""The trunk computes what dlib's network computes, and learns on from there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
onnx = pytest.importorskip("onnx", reason="dlib's convolutions are read from an ONNX file")

from facecli.models.training import trunk  # noqa: E402
from facecli.models.training.networks import packed_state  # noqa: E402
from facecli.models.training.trunk import Trunk  # noqa: E402


@pytest.fixture
def faces(examples):
    """Two faces as the trainer gives them, (2, 3, 96, 96) in [-1, 1]."""
    pictures = [cv2.resize(cv2.imread(str(examples / name)), (96, 96)) for name in ("hopper.jpg", "collins.jpg")]
    return torch.from_numpy(np.stack(pictures)[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 127.5 - 1


def dlibs_stem(faces):
    """What dlib's first convolution gives, in ONNX Runtime's own arithmetic: the file in the wheel, cut off there."""
    from importlib.resources import files

    model = onnx.load_model_from_string((files("facecli.models") / "embedded" / trunk.EMBEDDED).read_bytes())
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    weights = {entry.name: onnx.numpy_helper.to_array(entry) for entry in model.graph.initializer}
    weight, bias = (torch.from_numpy(weights[name].astype(np.float32)) for name in first.input[1:])
    pixels = ((faces + 1) * 127.5 - torch.tensor(trunk.MEAN)[:, None, None]) / 256
    return torch.nn.functional.conv2d(pixels, weight, bias, stride=2)


def test_it_begins_with_what_dlib_computes(faces):
    network = Trunk(5, blocks=3)
    trunk.begin_with_dlib(network, faces)
    with torch.inference_mode():
        assert torch.allclose(network.stem(faces), dlibs_stem(faces), atol=1e-4)


def test_blocks_of_any_size_fit_their_shortcuts():
    network = Trunk(5, blocks=14).eval()
    with torch.inference_mode():
        assert [network(torch.zeros(1, 3, side, side)).shape for side in (40, 63, 64, 111, 112)] == [(1, 5)] * 5


def test_the_packed_network_computes_the_same(faces):
    network = Trunk(5, blocks=8)
    trunk.begin_with_dlib(network, faces)
    packed = Trunk(5, blocks=8, packed=True)
    packed.load_state_dict(packed_state(network))
    with torch.inference_mode():
        one, other = network.eval()(faces), packed.eval()(faces)
    assert (one - other).abs().max() < 0.02 * one.abs().max()
