"""deepface's networks against references of another kind: NumPy in Keras's own layout, and what TensorFlow answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.contract import ExportRecipe
from facecli.errors import ExportError
from facecli.export.recipes.deepface import NETWORKS
from facecli.export.request import ExportRequest
from facecli.export.run import export_recipe
from facecli.hosting.registry import Registry
from facecli.models.store import ModelStore

pytestmark = pytest.mark.usefixtures("torch")
torch = pytest.importorskip("torch", reason="an export needs facecli[export]: torch is not installed")
h5py = pytest.importorskip("h5py", reason="reading Keras weights needs h5py")
nn = np.lib.stride_tricks

# By `python benchmarks/deepface_parity.py --record FILE openface facenet128` with deepface 0.0.103 and TensorFlow 2.21.
RECORD = Path(__file__).with_name("deepface_answers.json")
Layers = dict[str, list[np.ndarray]]


def run(module: Any, crops: np.ndarray) -> np.ndarray:
    """What a PyTorch network says to crops with the channels last."""
    with torch.inference_mode():
        return np.asarray(module(torch.from_numpy(np.ascontiguousarray(crops.transpose(0, 3, 1, 2)))).numpy())


# Keras's layers in NumPy, (N, H, W, C).


def patches(x: np.ndarray, side: tuple[int, int], stride: int = 1) -> np.ndarray:
    """(N, H', W', kh, kw, C)."""
    seen = nn.sliding_window_view(x, side, (1, 2))[:, ::stride, ::stride]
    return np.asarray(seen.transpose(0, 1, 2, 4, 5, 3))


def conv(x: np.ndarray, weights: list[np.ndarray], *, pad: int = 0, linear: bool = False) -> np.ndarray:
    kernel, bias = weights
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    y = np.tensordot(patches(x, kernel.shape[:2]), kernel, 3) + bias
    return y if linear else np.maximum(y, 0)


def local(x: np.ndarray, weights: list[np.ndarray], side: int, stride: int = 1) -> np.ndarray:
    kernel, bias = weights
    seen = patches(x, (side, side), stride)
    flat = seen.reshape(len(x), kernel.shape[0], -1)
    return np.maximum(np.einsum("npk,pkf->npf", flat, kernel).reshape(len(x), *bias.shape) + bias, 0)


def pool(x: np.ndarray, side: int, stride: int, how: Any = np.max) -> np.ndarray:
    return np.asarray(how(patches(x, (side, side), stride), axis=(3, 4)))


def dense(x: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    return np.asarray(x.reshape(len(x), -1) @ weights[0] + weights[1])


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def layers_of(**shapes: tuple[int, ...]) -> Layers:
    """Random kernels that keep the signal's size, and biases with as many values as there are outputs."""
    random = np.random.default_rng(3)
    made = {}
    for name, shape in shapes.items():
        kernel = random.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape)
        made[name] = [kernel, random.normal(0, 0.1, shape[-1])]
    return made


def as_float32(layers: Layers) -> dict[str, tuple[np.ndarray, ...]]:
    return {name: tuple(array.astype(np.float32) for array in own) for name, own in layers.items()}


def test_deepid() -> None:
    from facecli.export.networks.keras.chains import DeepId

    layers = layers_of(
        Conv1=(4, 4, 3, 20),
        Conv2=(3, 3, 20, 40),
        Conv3=(3, 3, 40, 60),
        fc11=(1200, 160),
        Conv4=(2, 2, 60, 80),
        fc12=(960, 160),
    )
    x = crops = np.random.default_rng(0).random((2, 55, 47, 3), np.float32)
    for name in ("Conv1", "Conv2", "Conv3"):
        x = pool(conv(x, layers[name]), 2, 2)
    expected = np.maximum(dense(x, layers["fc11"]) + dense(conv(x, layers["Conv4"]), layers["fc12"]), 0)
    assert expected.std(0).max() > 1e-2
    np.testing.assert_allclose(run(DeepId(as_float32(layers)), crops), expected, atol=2e-5)


def test_emotion() -> None:
    import cv2

    from facecli.export.networks.keras.chains import Expression

    layers = layers_of(
        conv2d_1=(5, 5, 1, 64),
        conv2d_2=(3, 3, 64, 64),
        conv2d_3=(3, 3, 64, 64),
        conv2d_4=(3, 3, 64, 128),
        conv2d_5=(3, 3, 128, 128),
        dense_1=(128, 1024),
        dense_2=(1024, 1024),
        dense_3=(1024, 7),
    )
    crops = np.random.default_rng(0).random((2, 224, 224, 1), np.float32)
    a, b, c, d, e, f, g, h = layers.values()
    x = np.stack([cv2.resize(crop, (48, 48)) for crop in crops])[..., None]  # as deepface makes its crops smaller
    x = pool(conv(x, a), 5, 2)
    x = pool(conv(conv(x, b), c), 3, 2, np.mean)
    x = pool(conv(conv(x, d), e), 3, 2, np.mean)
    expected = softmax(dense(np.maximum(dense(np.maximum(dense(x, f), 0), g), 0), h))
    assert np.abs(expected - 1 / 7).max() > 0.02
    np.testing.assert_allclose(run(Expression(as_float32(layers)), crops), expected, atol=1e-6)


def test_deepface_with_few_channels() -> None:
    """The real one has 137 million weights; what is tried is how they are laid out."""
    from facecli.export.networks.keras.chains import DeepFace

    random = np.random.default_rng(5)
    layers = layers_of(C1=(11, 11, 3, 3), C3=(9, 9, 3, 2), F7=(21 * 21 * 2, 8), F8=(8, 5))
    for name, side, places in (("L4", 9, 55), ("L5", 7, 25), ("L6", 5, 21)):
        inputs = side * side * 2
        kernel = random.normal(0, np.sqrt(2 / inputs), (places * places, inputs, 2))
        layers[name] = [kernel, random.normal(0, 0.1, (places, places, 2))]
    crops = np.random.default_rng(0).random((2, 152, 152, 3), np.float32)
    x = conv(crops, layers["C1"])
    x = pool(np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0))), 3, 2)  # after ReLU a zero at the end changes no maximum
    x = conv(x, layers["C3"])
    x = local(local(local(x, layers["L4"], 9), layers["L5"], 7, 2), layers["L6"], 5)
    expected = np.maximum(dense(x, layers["F7"]), 0)
    assert expected.std(0).max() > 1e-2
    np.testing.assert_allclose(run(DeepFace(as_float32(layers)), crops), expected, atol=2e-5)


def vgg_layers(head: int) -> Layers:
    """VGG-Face with a sixteenth of its channels and a descriptor of 32 values."""
    widths = [4, 4, 8, 8, 16, 16, 16, 32, 32, 32, 32, 32, 32]
    shapes = {f"conv2d_{n}": (3, 3, a, b) for n, (a, b) in enumerate(zip([3, *widths], widths, strict=False), 1)}
    return layers_of(**shapes, conv2d_14=(7, 7, 32, 32), conv2d_15=(1, 1, 32, 32), predictions=(1, 1, 32, head))


def vgg_reference(crops: np.ndarray, layers: Layers) -> np.ndarray:
    weights = iter(layers.values())
    x: np.ndarray = crops
    for count in (2, 2, 3, 3, 3):
        for _ in range(count):
            x = conv(x, next(weights), pad=1)
        x = pool(x, 2, 2)
    return conv(conv(x, next(weights)), next(weights))


def test_vgg_face_and_its_heads_with_few_channels() -> None:
    from facecli.export.networks.keras.vgg_face import Classifier, Descriptor

    layers = vgg_layers(6)
    crops = np.random.default_rng(0).random((2, 224, 224, 3), np.float32)
    trunk = vgg_reference(crops, layers)
    flat = trunk.reshape(2, -1)
    expected = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    np.testing.assert_allclose(run(Descriptor(as_float32(layers)), crops), expected, atol=1e-5)
    head = softmax(conv(trunk, layers["predictions"], linear=True).reshape(2, -1))
    assert np.abs(head - 1 / 6).max() > 0.01
    np.testing.assert_allclose(run(Classifier(as_float32(layers), 6, years=False), crops), head, atol=1e-5)
    years = (head * np.arange(6)).sum(1, keepdims=True)
    np.testing.assert_allclose(run(Classifier(as_float32(layers), 6, years=True), crops), years, atol=1e-4)
    with pytest.raises(ExportError, match="6 classes apart, not 2"):
        Classifier(as_float32(layers), 2, years=False)


def recorded(name: str) -> tuple[Layers, np.ndarray, np.ndarray]:
    """A network's layers with the random weights that deepface's had, crops, and what it answered to them."""
    record = json.loads(RECORD.read_text("utf-8"))[name]
    random, layers = np.random.default_rng(0), {}
    for layer, variables in record["layers"]:
        layers[layer] = [_random(random, variable, tuple(shape)) for variable, shape in variables]
    crops = np.random.default_rng(7).random(record["crops"], np.float32)
    return layers, crops, np.array(record["rows"])


def _random(random: np.random.Generator, variable: str, shape: tuple[int, ...]) -> np.ndarray:
    """As benchmarks/deepface_parity.py does it."""
    if variable in ("gamma", "moving_variance"):
        return random.uniform(0.5, 1.5, shape)
    spread = np.sqrt(2 / np.prod(shape[:-1])) if variable == "kernel" else 0.1
    return random.normal(0, spread, shape)


@pytest.mark.parametrize("name", ["openface", "facenet128"])
def test_answers_are_those_of_deepface_and_tensorflow(name: str, tmp_path: Path) -> None:
    layers, crops, expected = recorded(name)
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([layer.encode() for layer in layers])
        for layer, arrays in layers.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = np.array([f"{number}".encode() for number in range(len(arrays))])
            for number, array in enumerate(arrays):
                group.create_dataset(str(number), data=array.astype(np.float32))
    (part,) = recipe(name).build(path)
    assert part.file == f"{name}.onnx"
    assert np.abs(expected - expected.mean(0)).max() > 1e-3 * np.abs(expected).max()  # the crops are told apart
    np.testing.assert_allclose(run(part.module, crops), expected, atol=2e-5 * np.abs(expected).max())


def recipe(name: str) -> ExportRecipe:
    return Registry(third_party=False).load("recipes", name, ExportRecipe)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.recipe)
def test_every_recipe_says_where_its_weights_are_and_refuses_other_ones(network: Any, tmp_path: Path) -> None:
    from facecli.models import catalogue

    own, spec = recipe(network.recipe), catalogue.load(network.model)
    assert own.model == spec.id
    assert [file.name for file in spec.files] == [f"{network.recipe}.onnx"]
    assert spec.crop is not None
    assert (spec.crop.height, spec.crop.width) == network.shape[1:]
    assert network.published.partition(",")[0] in (spec.hint or "")
    assert f"facecli export {network.recipe} --weights" in (spec.hint or "")
    with pytest.raises(ExportError, match="come in no package") as missing:
        own.build(None)
    assert network.published in (missing.value.hint or "")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["layer_names"] = np.array([b"strange"])
        file.create_group("strange").attrs["weight_names"] = np.array([b"kernel"])
        file["strange"].create_dataset("kernel", data=np.ones((2, 2)))
    with pytest.raises(ExportError, match=r"this is not|has no weights of"):
        own.build(tmp_path / "other.h5")


def test_a_layer_too_many_is_refused() -> None:
    from facecli.export.networks.keras.layers import Source

    source = Source({"a": (np.ones(1, np.float32),), "b": (np.ones(1, np.float32),)}, "something")
    source.take("a", 1)
    with pytest.raises(ExportError, match=r"this is not something: it has a layer 'b' too many"):
        source.finish()
    with pytest.raises(ExportError, match="no layer 'c'"):
        source.take("c", 1)
    with pytest.raises(ExportError, match="has 1 arrays, not 2"):
        source.following(2)
    with pytest.raises(ExportError, match="too few layers"):
        source.following(1)


def test_from_a_file_of_keras_to_embeddings(tmp_path: Path, examples: Path, run_cli: Any) -> None:
    """DeepID, the smallest, with random weights: exported, installed, and run on faces as deepface cuts them."""
    shapes = {"Conv1": (4, 4, 3, 20), "Conv2": (3, 3, 20, 40), "Conv3": (3, 3, 40, 60), "fc11": (1200, 160)}
    layers = layers_of(**shapes, Conv4=(2, 2, 60, 80), fc12=(960, 160))
    with h5py.File(tmp_path / "deepid.h5", "w") as file:
        file.attrs["layer_names"] = np.array([layer.encode() for layer in layers])
        for layer, arrays in layers.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = np.array([b"kernel:0", b"bias:0"])
            for name, array in zip(("kernel:0", "bias:0"), arrays, strict=True):
                group.create_dataset(name, data=array.astype(np.float32))
    made = export_recipe(ExportRequest(recipe=recipe("deepid"), weights=tmp_path / "deepid.h5"), tmp_path / "out")
    assert max(worst.max_difference for worst in made.files[0].worst.values()) <= 1e-5
    ModelStore(tmp_path / "home").register(made.model, [file.path for file in made.files], made.origin)
    env = {"FACECLI_HOME": str(tmp_path / "home")}
    portraits = [examples / "collins.jpg", examples / "hopper.jpg"]
    answer = run_cli("embed", *portraits, "--recognizer", "deepid", "--json", env=env).json
    rows = np.array([image["faces"][0]["embedding"] for image in answer["images"]])
    assert rows.shape == (2, 160)
    assert np.abs(rows[0] - rows[1]).max() > 1e-3
