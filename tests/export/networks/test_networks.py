"""Recipes of PyTorch networks, through the command line, against second implementations.

MiniFASNet and the 112x96 MobileFaceNet are computed again in NumPy, float64, straight from the states' names; the other
MobileFaceNet has a published ONNX file.
"""

import json

import numpy as np
import pytest

from facecli.cli import main

EPSILON = 1e-5  # of every batch normalization


@pytest.fixture
def command(monkeypatch, tmp_path, capsys):
    """Run the command line in this process, which has torch already; (status, stdout, stderr lines)."""
    monkeypatch.setenv("FACECLI_HOME", str(tmp_path / "home"))

    def call(*arguments):
        status = main.run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err.splitlines()

    return call


@pytest.fixture
def exported(command, tmp_path, torch):
    """Export a recipe with weights; the session of its file, and its report."""

    def call(recipe, weights):
        from facecli.inference.session import open_session

        status, out, errors = command("export", recipe, "--weights", weights, "-o", tmp_path / "out", "--json")
        assert (status, errors) == (0, [])
        (file,) = json.loads(out)["files"]
        assert file["exporter"] == "torch.export"
        return open_session(tmp_path / "out" / file["file"]), file

    return call


def tensors(path):
    from facecli.export.weights.state import read_state

    return {name: tensor.double().numpy() for name, tensor in read_state(path).tensors.items()}


def randomised(torch, module, seed=5):
    """Seeded weights whose batch normalizations do something."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, (torch.nn.BatchNorm2d, torch.nn.BatchNorm1d)):
                for tensor, mean, spread in (
                    (part.weight, 1, 0.1),
                    (part.bias, 0, 0.1),
                    (part.running_mean, 0, 0.1),
                    (part.running_var, 1, 0.1),
                ):
                    tensor.copy_(mean + spread * torch.rand(tensor.shape, generator=generator))
            elif isinstance(part, torch.nn.PReLU):
                part.weight.uniform_(-0.3, 0.6, generator=generator)
    return module


class Reference:
    """Layers in NumPy, by their names in a state; pictures are (N, C, H, W) float64."""

    def __init__(self, state):
        self.state = state

    def conv(self, x, name, stride=1, padding=0):
        kernel = self.state[f"{name}.weight"]
        grouped = kernel.shape[1] == 1 and x.shape[1] > 1
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        view = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], (2, 3))[:, :, ::stride, ::stride]
        if grouped:
            return np.einsum("nchwyx,cyx->nchw", view, kernel[:, 0])
        return np.einsum("nchwyx,ocyx->nohw", view, kernel, optimize=True)

    def norm(self, x, name):
        shape = (1, -1, *[1] * (x.ndim - 2))
        part = {key: self.state[f"{name}.{key}"].reshape(shape) for key in ("weight", "bias")}
        mean, variance = (self.state[f"{name}.running_{key}"].reshape(shape) for key in ("mean", "var"))
        return (x - mean) / np.sqrt(variance + EPSILON) * part["weight"] + part["bias"]

    def prelu(self, x, name):
        slope = self.state[f"{name}.weight"].reshape(1, -1, 1, 1)
        return np.where(x > 0, x, x * slope)

    def unit(self, x, name, stride=1, padding=0, linear=False):
        x = self.norm(self.conv(x, f"{name}.conv", stride, padding), f"{name}.bn")
        return x if linear else self.prelu(x, f"{name}.prelu")

    def excited(self, x, name):
        squeezed = np.array([[channel.sum() / channel.size for channel in picture] for picture in x])
        hidden = self.norm(squeezed @ self.state[f"{name}.fc1.weight"][:, :, 0, 0].T, f"{name}.bn1")
        weights = self.norm(np.maximum(hidden, 0) @ self.state[f"{name}.fc2.weight"][:, :, 0, 0].T, f"{name}.bn2")
        return x / (1 + np.exp(-weights))[:, :, None, None]

    def bottleneck(self, x, name, stride):
        y = self.unit(self.unit(x, f"{name}.conv"), f"{name}.conv_dw", stride, 1)
        y = self.unit(y, f"{name}.project", linear=True)
        if f"{name}.se_module.fc1.weight" in self.state:
            y = self.excited(y, f"{name}.se_module")
        return x + y if stride == 1 else y

    def minifasnet(self, x):
        x = self.unit(self.unit(x, "conv1", 2, 1), "conv2_dw", 1, 1)
        for halving, stage in (("conv_23", "conv_3"), ("conv_34", "conv_4"), ("conv_45", "conv_5")):
            x = self.bottleneck(x, halving, 2)
            k = 0
            while f"{stage}.model.{k}.conv.conv.weight" in self.state:
                x = self.bottleneck(x, f"{stage}.model.{k}", 1)
                k += 1
            assert k >= 2
        x = self.unit(self.unit(x, "conv_6_sep"), "conv_6_dw", linear=True)
        return self.norm(x[:, :, 0, 0] @ self.state["linear.weight"].T, "bn") @ self.state["prob.weight"].T

    def mobilefacenet(self, x):
        x = self.unit(self.unit(x, "conv1", 2, 1), "dw_conv1", 1, 1)
        for k in range(15):
            name, wide = f"blocks.{k}.conv", self.state[f"blocks.{k}.conv.0.weight"].shape
            narrow = self.state[f"{name}.6.weight"].shape[0]
            stride = 2 if k in (0, 5, 12) else 1
            y = self.prelu(self.norm(self.conv(x, f"{name}.0"), f"{name}.1"), f"{name}.2")
            y = self.prelu(self.norm(self.conv(y, f"{name}.3", stride, 1), f"{name}.4"), f"{name}.5")
            y = self.norm(self.conv(y, f"{name}.6"), f"{name}.7")
            x = x + y if stride == 1 and wide[1] == narrow else y
        x = self.unit(self.unit(x, "conv2"), "linear7", linear=True)
        return self.unit(x, "linear1", linear=True)[:, :, 0, 0]


def pixels(*shape):
    return np.random.default_rng(3).integers(0, 256, shape).astype(np.float32)


FASNETS = {"minifasnet-v2": "2.7_80x80_MiniFASNetV2.pth", "minifasnet-v1se": "4_0_0_80x80_MiniFASNetV1SE.pth"}


@pytest.mark.parametrize("recipe", FASNETS)
def test_minifasnet(exported, shared, recipe):
    path = shared / "models" / FASNETS[recipe]
    session, file = exported(recipe, path)
    assert file["notes"] == ["dropped the prefix 'module.' of every name"]
    state, crops = tensors(path), pixels(3, 3, 80, 80)
    assert any("se_module" in name for name in state) == (recipe == "minifasnet-v1se")
    expected = Reference(state).minifasnet(crops.astype(np.float64))
    assert expected.std(0).min() > 1e-3
    np.testing.assert_allclose(session.run({"crops": crops})["logits"], expected, rtol=0, atol=1e-4)


def test_excitation_with_seeded_weights(torch):
    from facecli.export.networks.minifasnet import Excitation

    module = randomised(torch, Excitation(16)).eval()
    x = torch.randn((2, 16, 5, 7), generator=torch.Generator().manual_seed(2))
    state = {f"se.{name}": tensor.double().numpy() for name, tensor in module.state_dict().items()}
    with torch.inference_mode():
        got = module(x).numpy()
    expected = Reference(state).excited(x.double().numpy(), "se")
    assert abs(expected - x.numpy()).max() > 0.1
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def test_mobilefacenet_agrees_with_the_published_onnx_and_takes_batches(exported, command, shared, examples):
    from facecli.inference.session import open_session

    session, file = exported("mobilefacenet", shared / "models" / "mobilefacenet.pt")
    crops = (pixels(3, 3, 112, 112) - 127.5) / 128
    published = open_session(shared / "models" / "mobilefacenet.onnx")
    expected = np.concatenate([published.run({"input0": crop[None]})["output0"] for crop in crops])
    np.testing.assert_allclose(session.run({"crops": crops})["embeddings"], expected, rtol=0, atol=1e-4)

    # It is used from now on, though the catalogue knows where to fetch the other file.
    status, out, errors = command("embed", examples / "collins.jpg", "--recognizer", "mobilefacenet", "--json")
    assert (status, errors) == (0, [])
    assert json.loads(out)["recognizer"]["models"][0]["files"][0]["sha256"] == file["sha256"]


def test_mobilefacenet_112x96(exported, shared):
    path = shared / "models" / "mobilefacenet_112x96.ckpt"
    session, file = exported("mobilefacenet-112x96", path)
    assert file["notes"] == ["took the state from 'net_state_dict'"]
    crops = (pixels(2, 3, 112, 96) - 127.5) / 128
    expected = Reference(tensors(path)).mobilefacenet(crops.astype(np.float64))
    np.testing.assert_allclose(session.run({"crops": crops})["embeddings"], expected, rtol=0, atol=1e-5)


def test_facenet_with_seeded_weights_in_the_layout_of_the_release(exported, torch, tmp_path):
    pytest.importorskip("requests", reason="facenet-pytorch imports requests")
    from facecli.export.networks.facenet import inception_resnet

    torch.manual_seed(5)
    network = randomised(torch, inception_resnet()).eval()
    network.logits = torch.nn.Linear(512, 9)
    assert "last_bn.running_var" in network.state_dict()
    torch.save(network.state_dict(), tmp_path / "20180402-114759-vggface2.pt")
    session, file = exported("facenet-vggface2", tmp_path / "20180402-114759-vggface2.pt")
    assert file["notes"] == ["left out logits.weight, logits.bias"]
    crops = (pixels(2, 3, 160, 160) - 127.5) / 128
    with torch.inference_mode():
        expected = network(torch.from_numpy(crops)).numpy()
    got = session.run({"crops": crops})["embeddings"]
    assert abs(expected[0] - expected[1]).max() > 1e-4  # of noise, seen by random weights
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, rtol=0, atol=1e-5)


def test_iresnet18_with_seeded_weights(exported, torch, tmp_path):
    from facecli.export.networks.iresnet import DEPTHS, IResNet

    torch.manual_seed(5)
    network = randomised(torch, IResNet(DEPTHS[18])).eval()
    torch.save(network.state_dict(), tmp_path / "backbone.pth")
    session, _ = exported("arcface-iresnet18", tmp_path / "backbone.pth")
    crops = (pixels(2, 3, 112, 112) - 127.5) / 127.5
    with torch.inference_mode():
        expected = network(torch.from_numpy(crops)).numpy()
    np.testing.assert_allclose(session.run({"crops": crops})["embeddings"], expected, rtol=0, atol=1e-4)


# Parameters as arcface_torch's networks have them, in millions: docs of insightface's model zoo.
@pytest.mark.parametrize(("depth", "parameters"), [(18, 24.03), (34, 34.14), (50, 43.59), (100, 65.16)])
def test_iresnets_have_the_layers_of_arcface_torch(torch, depth, parameters):
    from facecli.export.networks.iresnet import DEPTHS, IResNet

    with torch.device("meta"):
        network = IResNet(DEPTHS[depth])
    assert sum(parameter.numel() for parameter in network.parameters()) / 1e6 == pytest.approx(parameters, abs=0.006)
    names = {name.split(".", 2)[2] for name in network.state_dict() if name.startswith("layer4.0.")}
    kinds = {"bn1", "conv1", "bn2", "prelu", "conv2", "bn3", "downsample.0", "downsample.1"}
    assert {name.rpartition(".")[0] for name in names} == kinds
    outer = {name.partition(".")[0] for name in network.state_dict()}
    assert outer == {"conv1", "bn1", "prelu", "bn2", "fc", "features", *(f"layer{k}" for k in range(1, 5))}


WEIGHTS = """
id = "weights/minifasnet-v2"
kind = "weights"
summary = "for a test"
licence = "Apache-2.0"
commercial_use = true
source = "a test"

[[files]]
name = "2.7_80x80_MiniFASNetV2.pth"
size = 1849453
sha256 = "a5eb02e1843f19b5386b953cc4c9f011c3f985d0ee2bb9819eea9a142099bec0"
"""


def test_weights_that_the_catalogue_knows_are_fetched(command, torch, shared, tmp_path, monkeypatch):
    from facecli.models.entries import shipped

    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "minifasnet-v2.toml").write_text(WEIGHTS)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    monkeypatch.setenv("FACECLI_MODELS_MIRROR", str(shared / "models"))
    status, out, errors = command("export", "minifasnet-v2", "--json")
    assert (status, errors) == (0, [])
    source = json.loads(out)["files"][0]["source_sha256"]
    assert source == "a5eb02e1843f19b5386b953cc4c9f011c3f985d0ee2bb9819eea9a142099bec0"


@pytest.mark.parametrize("recipe", ["facenet-casia", "arcface-iresnet50", "mobilefacenet", "minifasnet-v2"])
def test_without_weights_it_is_said_what_is_wanted(command, torch, recipe, tmp_path, monkeypatch):
    from facecli.models.entries import shipped

    monkeypatch.setattr(shipped, "FOLDER", tmp_path)  # one that has no weights/RECIPE
    status, _, errors = command("export", recipe)
    assert status == 1
    assert len(errors) == 1
    assert f"{recipe}'s weights come in no package; --weights FILE, such as " in errors[0]


def test_weights_of_another_network_are_one_line_and_no_file(command, torch, tmp_path):
    torch.save({"state_dict": {"conv1.weight": torch.ones(64, 3, 3, 3)}}, tmp_path / "other.pth")
    status, out, errors = command(
        "export", "arcface-iresnet18", "--weights", tmp_path / "other.pth", "-o", tmp_path / "o"
    )
    assert (status, out, len(errors)) == (1, "", 1)
    assert "other.pth is no state of this network: 155 missing (bn1.weight, bn1.bias, " in errors[0]
    assert not (tmp_path / "o").exists()
