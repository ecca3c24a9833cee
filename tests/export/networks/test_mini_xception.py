"""mini-Xception against a second implementation: NumPy in float64, layer by layer as Keras defines each, no folding."""

import json

import numpy as np
import pytest

from facecli.cli.wording import option
from facecli.errors import ExportError
from facecli.export.recipes import mini_xception

h5py = pytest.importorskip("h5py", reason="Keras files need h5py, part of facecli[export]")


def windows(x, size, stride, padding, fill):
    """(N, H, W, C) -> (N, H', W', C, size, size), TensorFlow's "same" or "valid"."""
    if padding == "same":
        pads = [(0, 0)]
        for length in x.shape[1:3]:
            total = max((-(-length // stride) - 1) * stride + size - length, 0)
            pads.append((total // 2, total - total // 2))
        x = np.pad(x, [*pads, (0, 0)], constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))[:, ::stride, ::stride]


def convolved(x, settings, kernel, bias=0.0):
    view = windows(x, kernel.shape[0], settings["strides"][0], settings["padding"], 0.0)
    return np.einsum("nhwcyx,yxco->nhwo", view, kernel) + bias


def separable(x, settings, depthwise, pointwise):
    view = windows(x, depthwise.shape[0], settings["strides"][0], settings["padding"], 0.0)
    return np.einsum("nhwcyx,yxc->nhwc", view, depthwise[..., 0]) @ pointwise[0, 0]


def normalised(x, settings, gamma, beta, mean, variance):
    return (x - mean) / np.sqrt(variance + settings["epsilon"]) * gamma + beta


def activated(x, settings):
    if settings["activation"] == "relu":
        return np.maximum(x, 0)
    exponentials = np.exp(x - x.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def pooled(x, settings):
    view = windows(x, settings["pool_size"][0], settings["strides"][0], settings["padding"], -np.inf)
    return view.max((-1, -2))


OPERATIONS = {
    "Conv2D": convolved,
    "SeparableConv2D": separable,
    "BatchNormalization": normalised,
    "Activation": activated,
    "MaxPooling2D": pooled,
    "GlobalAveragePooling2D": lambda x, _: x.mean((1, 2)),
}


def keras_forward(path, crops):
    """The graph of a Keras file, run on (N, 1, H, W)."""
    with h5py.File(path) as file:
        values = {}
        for layer in json.loads(file.attrs["model_config"])["config"]["layers"]:
            name, settings = layer["name"], layer["config"]
            inputs = [values[node[0]] for node in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else []
            group = file["model_weights"][name]
            weights = [group[key][()].astype(np.float64) for key in group.attrs["weight_names"]]
            if layer["class_name"] == "InputLayer":
                values[name] = crops.transpose(0, 2, 3, 1).astype(np.float64)
            elif layer["class_name"] == "Add":
                values[name] = sum(inputs)
            else:
                values[name] = OPERATIONS[layer["class_name"]](*inputs, settings, *weights)
        return values[name]


class KerasFile:
    """Writes a small mini-Xception with seeded weights, as Keras 2.0 saves it."""

    def __init__(self, path, *, widths=(4, 6, 8, 10), classes=7, drop=None):
        self.random = np.random.default_rng(11)
        self.layers, self.weights, self.drop = [], {}, drop
        x = self.add("InputLayer", [], {})
        channels = 1
        for width in (4, 4):
            x = self.add("Conv2D", [x], {"strides": [1, 1], "padding": "valid"}, (3, 3, channels, width))
            x = self.relu(self.norm(x, width))
            channels = width
        for width in widths:
            halving = {"strides": [2, 2], "padding": "same"}
            shortcut = self.add("Conv2D", [x], halving, (1, 1, channels, width), late=True)
            y = self.norm(self.separable(x, channels, width), width)
            y = self.norm(self.separable(self.relu(y), width, width), width)
            self.layers.append(self.late)
            pooled_y = self.add("MaxPooling2D", [y], halving | {"pool_size": [3, 3]})
            x = self.add("Add", [pooled_y, self.norm(shortcut, width)], {})
            channels = width
        head = self.add("Conv2D", [x], {"strides": [1, 1], "padding": "same"}, (3, 3, channels, classes), (classes,))
        x = self.add("GlobalAveragePooling2D", [head], {})
        self.add("Activation", [x], {"activation": "softmax"})
        self.weights[head][0] *= np.float32(0.1)  # else the softmax saturates, and hides what differs
        self.write(path)

    def add(self, kind, inputs, settings, *shapes, late=False):
        name = f"{kind.lower()}_{len(self.weights)}"
        nodes = [[[given, 0, 0, {}] for given in inputs]] if inputs else []
        entry = {"class_name": kind, "name": name, "config": settings, "inbound_nodes": nodes}
        self.weights[name] = [self.random.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]
        if late:
            self.late = entry
        elif kind != self.drop:
            self.layers.append(entry)
        return name

    def separable(self, x, inputs, outputs):
        shapes = (3, 3, inputs, 1), (1, 1, inputs, outputs)
        return self.add("SeparableConv2D", [x], {"strides": [1, 1], "padding": "same"}, *shapes)

    def norm(self, x, width):
        name = self.add("BatchNormalization", [x], {"epsilon": 0.02}, *[(width,)] * 4)
        self.weights[name][3] = np.abs(self.weights[name][3]) + np.float32(0.2)  # a variance
        return name

    def relu(self, x):
        return self.add("Activation", [x], {"activation": "relu"})

    def write(self, path):
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": {"layers": self.layers}})
            groups = file.create_group("model_weights")
            for name, arrays in self.weights.items():
                group = groups.create_group(name)
                group.attrs["weight_names"] = [f"{name}/w{i}:0".encode() for i in range(len(arrays))]
                for i, array in enumerate(arrays):
                    group[f"{name}/w{i}:0"] = array


def exported_and_expected(path, folder, crops):
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe
    from facecli.inference.session import open_session

    recipe, _gender = mini_xception.facecli_export_recipes()
    (file,) = export_recipe(ExportRequest(recipe=recipe, weights=path), folder).files
    got = open_session(file.path).run({"crops": crops})["probabilities"]
    return got, keras_forward(path, crops)


@pytest.fixture
def crops():
    return np.random.default_rng(5).uniform(-1, 1, (3, 1, 64, 64)).astype(np.float32)


def test_seeded_weights(torch, tmp_path, crops):
    KerasFile(tmp_path / "tiny.hdf5")
    got, expected = exported_and_expected(tmp_path / "tiny.hdf5", tmp_path, crops)
    assert expected.std(0).max() > 1e-3  # the network tells the crops apart, so the comparison means something
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def test_the_published_weights(torch, tmp_path, crops, shared):
    path = shared / "models" / "fer2013_mini_xception.hdf5"
    got, expected = exported_and_expected(path, tmp_path, crops)
    assert got.shape == (3, 7)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def test_the_catalogue_names_what_the_recipe_makes():
    from facecli.models import catalogue

    for recipe, classes in zip(mini_xception.facecli_export_recipes(), (7, 2), strict=True):
        spec = catalogue.load(recipe.model)
        assert len(spec.labels) == classes
        assert (spec.crop.width, spec.crop.height) == (mini_xception.SIDE, mini_xception.SIDE)
        assert spec.preprocessing.version == recipe.preprocessing_version
        assert recipe.name in spec.hint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": 2}, "tells 2 classes apart"),
        ({"drop": "SeparableConv2D"}, "layer 5 with weights must be SeparableConv2D, is BatchNormalization"),
        ({"widths": (4, 6, 8)}, "layer 23 with weights must be SeparableConv2D, is Conv2D"),
        ({"widths": (4, 6, 8, 10, 12)}, "layer 29 with weights must be Conv2D, is SeparableConv2D"),
    ],
)
def test_other_networks_are_refused(torch, tmp_path, options, message):
    KerasFile(tmp_path / "other.hdf5", **options)
    with pytest.raises(ExportError, match=message):
        mini_xception.build_emotion(tmp_path / "other.hdf5")


def test_other_files_are_refused(torch, tmp_path):
    (tmp_path / "words.hdf5").write_text("no HDF5")
    with pytest.raises(ExportError, match=r"words\.hdf5 is no Keras HDF5 model"):
        mini_xception.build_emotion(tmp_path / "words.hdf5")


@pytest.mark.usefixtures("torch")
def test_weights_must_be_named():
    with pytest.raises(ExportError) as caught:
        mini_xception.build_emotion(None)
    assert "come in no package; --weights FILE" in caught.value.text(option)
