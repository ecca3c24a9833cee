"""Recognizers and attribute models with their preprocessing inside: the same numbers as facecli's pipeline."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from facecli.contract import CropSpec, ModelFile, ModelSpec, OperatingPoint, Preprocessing, RecognizerPlugin
from facecli.crops import cutting
from facecli.crops.preprocess import to_input
from facecli.errors import ExportError
from facecli.inference.session import open_session
from facecli.types import Detections, Image

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from facecli.export.edge.crops import with_preprocessing  # noqa: E402
from facecli.export.edge.make import make_edge_file  # noqa: E402
from facecli.export.edge.request import EdgeRequest  # noqa: E402

WIDTH, HEIGHT = 9, 12
VARIANTS = [
    Preprocessing("RGB", (127.5,), (128.0,)),
    Preprocessing("RGB", (122.8, 117.0, 104.3), (256.0,)),
    Preprocessing("BGR", (104.0, 117.0, 123.0), (57.0, 58.0, 59.0)),
    Preprocessing("BGR", (0.0,), (1.0,), layout="NHWC"),
    Preprocessing("grey", (127.5,), (127.5,)),
    Preprocessing("grey", (0.0,), (255.0,), layout="NHWC"),
]


def network(how, opset=18):
    """A network whose embedding is its input, flattened."""
    channels = 1 if how.colour == "grey" else 3
    shape = ["batch", channels, HEIGHT, WIDTH] if how.layout == "NCHW" else ["batch", HEIGHT, WIDTH, channels]
    size = channels * HEIGHT * WIDTH
    flat = numpy_helper.from_array(np.array([-1, size], np.int64), "flat")
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["x", "flat"], ["y"])],
        "flatten",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", size])],
        [flat],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), size


def model_spec(how, size, *, normalized=False):
    point = OperatingPoint("cosine", 0.5, "for tests")
    crop = CropSpec(WIDTH, HEIGHT, ((3.0, 4.0), (6.0, 4.0), (4.5, 6.0), (3.0, 8.0), (6.0, 8.0)))
    return ModelSpec(
        "flat",
        "recognizer",
        "for tests",
        (ModelFile("flat.onnx", None),),
        "MIT",
        True,
        "made here",
        crop=crop,
        preprocessing=how,
        dim=size,
        normalized=normalized,
        operating_point=point,
    )


def opened(model, folder):
    path = folder / "edge.onnx"
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path), full_check=True)
    return open_session(path)


def run(model, folder, crop):
    (found,) = opened(model, folder).run({"pixels": crop}).values()
    return found


@pytest.mark.parametrize(
    ("how", "opset"),
    [*((how, 18) for how in VARIANTS), *((VARIANTS[4], opset) for opset in (11, 12, 13))],
    ids=lambda value: value if isinstance(value, int) else f"{value.colour}-{value.layout}-{value.mean[0]:g}",
)
def test_graph_computes_what_the_pipeline_computes(how, opset, tmp_path):
    source, size = network(how, opset)
    spec = model_spec(how, size)
    session = opened(with_preprocessing(source, spec), tmp_path)
    random = np.random.default_rng(1)
    for height, width in [(HEIGHT, WIDTH), (2 * HEIGHT, 3 * WIDTH), (41, 31), (7, 5), (1, 1)]:
        crop = random.integers(0, 256, (height, width, 3), np.uint8)
        wanted = to_input(cutting.whole(Image(crop, "noise"), spec.crop), how).reshape(-1)
        (found,) = session.run({"pixels": crop}).values()
        # A mean half way between two levels may be rounded to either, and OpenCV enlarges with 11 bits.
        levels = np.abs(found - wanted) * min(how.std)
        own = (height, width) == (HEIGHT, WIDTH)
        assert levels.max() < (1e-3 if own else 1.001)
        assert levels.mean() < 0.4


def test_length_is_one_where_the_catalogue_says_so(tmp_path):
    how = VARIANTS[0]
    source, size = network(how)
    edge = with_preprocessing(source, model_spec(how, size, normalized=True))
    crop = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    found = run(edge, tmp_path, crop)
    wanted = to_input(crop[None], how).reshape(-1)
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted), atol=1e-6)
    zero = dataclasses.replace(how, mean=(0.0,), std=(1.0,))
    edge = with_preprocessing(source, model_spec(zero, size, normalized=True))
    assert not run(edge, tmp_path, np.zeros((HEIGHT, WIDTH, 3), np.uint8)).any()


def test_classes_are_in_the_plugin_s_order(tmp_path):
    how = VARIANTS[4]
    source, size = network(how)
    labels = tuple(f"class {number}" for number in range(size))
    spec = dataclasses.replace(model_spec(how, size), kind="attribute", attribute="position", labels=labels, dim=None)
    edge = with_preprocessing(source, spec, labels[::-1])
    crop = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    session = opened(edge, tmp_path)
    values = to_input(crop[None], how).ravel()
    np.testing.assert_allclose(session.run({"pixels": crop})["probabilities"], values[::-1], atol=1e-5)
    logits = with_preprocessing(source, dataclasses.replace(spec, logits=True))
    np.testing.assert_allclose(run(logits, tmp_path, crop), np.exp(values) / np.exp(values).sum(), atol=1e-6)


def test_old_opsets_are_refused():
    source, size = network(VARIANTS[0], opset=10)
    with pytest.raises(ExportError, match="opset 10"):
        with_preprocessing(source, model_spec(VARIANTS[0], size))


class Flat:
    """What a plugin would do."""

    def __init__(self, runtime, how):
        self.session, self.how = runtime.session("flat"), how

    def embed(self, crops):
        return self.session.run({"x": to_input(crops, self.how)})["y"]


@pytest.mark.parametrize("told", [VARIANTS[0], VARIANTS[2]])
def test_nothing_is_published_that_disagrees_with_the_plugin(told, tmp_path):
    how = VARIANTS[0]
    source, size = network(how)
    spec = model_spec(told, size)
    path = tmp_path / "flat.onnx"
    path.write_bytes(source.SerializeToString())
    plugin = RecognizerPlugin(
        "flat", "for tests", lambda runtime, _: Flat(runtime, how), spec.crop, size, False, spec.operating_point
    )
    request = EdgeRequest(path, plugin, spec, {})
    if told is how:
        made = make_edge_file(request, tmp_path / "out")
        assert {file.name for file in (tmp_path / "out").iterdir()} == {made.path.name, made.report.name}
        report = json.loads(made.report.read_text())
        assert report["sha256"] == made.sha256
        assert report["proof"]["own_size"]["cosine"] > 0.99999
        assert report["proof"]["resized"]["crops"] == 16
    else:
        with pytest.raises(ExportError, match="cosine"):
            make_edge_file(request, tmp_path / "out")
        assert not list((tmp_path / "out").iterdir())


def test_command_embeds_an_installed_recognizer(run_cli, tmp_path, examples):
    done = run_cli(
        "export", "--recognizer", "dlib-resnet", "--embed-preprocessing", "--output", tmp_path / "out", "--json"
    )
    assert done.returncode == 0, done.stderr
    (file,) = done.json["edge"]
    path = tmp_path / "out" / "dlib_resnet.edge.onnx"
    assert file["path"] == str(path)
    assert file["proof"]["own_size"]["cosine"] > 0.99999
    described = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(described["facecli.crop"])["width"] == 150

    embedded = run_cli("embed", examples / "collins.jpg", "--recognizer", "dlib-resnet", "--json")
    answer = embedded.json["images"][0]["faces"][0]
    from facecli.models import catalogue
    from facecli.pictures.codec import decode
    from facecli.types import Limits

    image = decode((examples / "collins.jpg").read_bytes(), "collins", Limits())
    box, points = (np.array([answer[key]], np.float32) for key in ("bbox", "landmarks"))
    crop = cutting.cut(image, Detections(box, np.ones(1, np.float32), points), catalogue.load("dlib-resnet").crop)[0]
    session = open_session(path)
    assert session.input_shapes == {"pixels": (None, None, 3)}
    (found,) = session.run({"pixels": crop}).values()
    assert found.shape == (128,)
    assert found @ np.array(answer["embedding"], np.float32) > 0.999


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mtcnn", "--embed-preprocessing", "--output", "out"], "mtcnn is 3 networks with code between them"),
        (["--detector", "mtcnn", "--embed-preprocessing", "--output", "out"], "mtcnn is 3 networks"),
        (["--detector", "haar", "--embed-preprocessing", "--output", "out"], "haar has no model"),
        (["--embed-preprocessing", "--recognizer", "dlib-resnet"], "needs a place to write to"),
        (["--embed-preprocessing", "--output", "out"], "no model to embed preprocessing in"),
        (["dlib-resnet", "--recognizer", "dlib-resnet"], "--recognizer is for a bundle"),
        (["--embed-preprocessing", "--recognizer", "nobody", "--output", "out"], "nobody"),
    ],
)
def test_bad_requests_are_one_line_and_leave_nothing(run_cli, arguments, message, tmp_path):
    done = run_cli("export", *arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert len(done.errors) == 1
    assert message in done.errors[0]
    assert not list(tmp_path.iterdir())
