"""Detectors with decoding and suppression inside: the faces that `facecli detect` finds."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from facecli.contract import DetectorPlugin
from facecli.errors import ExportError
from facecli.hosting.loader import make_runtime
from facecli.hosting.registry import Registry
from facecli.inference.session import open_session
from facecli.models.store import ModelStore
from facecli.pictures.codec import decode
from facecli.types import Image, Limits

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper  # noqa: E402

from facecli.export.edge.detectors import with_decoding  # noqa: E402
from facecli.export.edge.make import make_edge_file  # noqa: E402
from facecli.export.edge.request import EdgeRequest, edge_parameters  # noqa: E402

MODELS = [
    "scrfd/500m",
    "yunet/n",
    "yunet/n-640",
    "yolov8-face/lite-t",
    "yolov5-face/n-0.5",
]  # those whose ONNX files lie in the shared folder


@pytest.fixture
def store(shared, tmp_path) -> ModelStore:
    return ModelStore(tmp_path / "home", mirror=str(shared / "models"), accept_licence=True)


def detector(model, store, **parameters):
    """Plugin, model, file, what it runs with, and the plugin loaded."""
    family, _, variant = model.partition("/")
    plugin = Registry(third_party=False).load("detectors", family, DetectorPlugin)
    settings = edge_parameters(plugin, {"model": variant, **parameters})
    (spec,) = (spec for spec in plugin.models if spec.id == model)
    runtime = make_runtime([plugin], store)
    return EdgeRequest(runtime.model_path(model), plugin, spec, settings), plugin.load(runtime, settings)


def pictures(examples, group_picture):
    """Pictures of all kinds: one face, six, cut off, tiny, none."""
    portrait = decode((examples / "hopper.jpg").read_bytes(), "hopper", Limits()).pixels
    group = decode(group_picture.read_bytes(), "group", Limits()).pixels
    wide = np.concatenate([group, group], axis=1)
    blank = np.full((50, 333, 3), 90, np.uint8)
    parts = (portrait[:, 90:], portrait[::2, ::3], portrait[:5, :7])
    return [portrait, group, wide, blank, *map(np.ascontiguousarray, parts)]


@pytest.mark.parametrize("model", MODELS)
def test_graph_finds_the_plugin_s_faces(model, store, examples, group_picture, tmp_path):
    request, loaded = detector(model, store)
    path = tmp_path / "edge.onnx"
    network = onnx.load(request.network)
    edge = with_decoding(network, request.plugin.name, request.spec, request.parameters)
    path.write_bytes(edge.SerializeToString())
    onnx.checker.check_model(str(path), full_check=True)
    assert {node.domain for node in edge.graph.node} == {""}
    session = open_session(path)
    faces = 0
    for pixels in pictures(examples, group_picture):
        (want,) = loaded.detect([Image(pixels, "a picture")])
        got = session.run({"pixels": pixels})
        assert list(got) == ["boxes", "scores", "landmarks"]
        assert got["landmarks"].shape == (len(want), 5, 2)
        scale = max(1.0, max(pixels.shape) / 640)  # px of the picture in a pixel that the network sees
        np.testing.assert_allclose(got["boxes"], want.bboxes, atol=0.5 * scale)
        np.testing.assert_allclose(got["landmarks"], want.landmarks, atol=0.5 * scale)
        np.testing.assert_allclose(got["scores"], want.scores, atol=0.01)
        faces += len(want)
    assert faces >= 20


def random_outputs(family, canvas):
    """What a network of this family could give for a canvas, without the batch axis."""
    from facecli.export.edge import decoders

    random = np.random.default_rng(3)
    sizes = [(canvas[0] // stride, canvas[1] // stride) for stride in decoders.STRIDES]
    if family.startswith("yolo"):
        shapes = [(80, *size) if family == "yolov8-face" else (3, *size, 16) for size in sizes]
        return [random.normal(0, 2, shape).astype(np.float32) for shape in shapes]
    cells = [height * width for height, width in sizes]
    columns = {"scrfd": (1, 4, 10), "yunet": (1, 1, 4, 10), "retinaface": (4, 2, 10)}[family]
    counts = [sum(cells)] if family == "retinaface" else cells
    anchors = 1 if family == "yunet" else 2
    return [random.random((count * anchors, width), np.float32) for width in columns for count in counts]


@pytest.mark.parametrize("family", ["scrfd", "yunet", "retinaface", "yolov8-face", "yolov5-face"])
def test_outputs_are_read_as_the_plugin_reads_them(family, tmp_path):
    """On random outputs: no weights are needed for this."""
    import importlib

    from facecli.export.edge import decoders
    from facecli.export.edge.graph import Graph

    canvas = (96, 160)
    arrays = random_outputs(family, canvas)

    nothing = helper.make_graph([], "nothing", [], [], [])
    graph = Graph(helper.make_model(nothing, opset_imports=[helper.make_opsetid("", 12)], ir_version=7))
    names = [graph.input(f"x{i}", TensorProto.FLOAT, [1, *array.shape]) for i, array in enumerate(arrays)]
    found = decoders.DECODERS[family](graph, names, graph.constant(canvas, np.int64))
    for name, axes in (("boxes", 2), ("scores", 1), ("landmarks", 3)):
        graph.output(getattr(found, name), name, [f"{name}_{axis}" for axis in range(axes)])
    path = tmp_path / "decode.onnx"
    path.write_bytes(graph.model({}).SerializeToString())
    got = open_session(path).run({name: array[None] for name, array in zip(names, arrays, strict=True)})

    decode = importlib.import_module(f"facecli.plugins.detectors.{family.replace('-', '_')}").decode
    want = decode(arrays, canvas, 0.0)
    cells = sum(canvas[0] * canvas[1] // stride**2 for stride in decoders.STRIDES)
    assert len(want.scores) == cells * {"yunet": 1, "yolov8-face": 1, "yolov5-face": 3}.get(family, 2)
    for name in ("boxes", "scores", "landmarks"):
        np.testing.assert_allclose(got[name], getattr(want, name).reshape(got[name].shape), rtol=1e-5, atol=1e-4)


def test_parameters_are_those_that_were_given(store, group_picture, tmp_path):
    pixels = decode(group_picture.read_bytes(), "group", Limits()).pixels
    counts = []
    for size, threshold in ((640, 0.6), (160, 0.6), (640, 0.9)):
        request, loaded = detector("yunet/n", store, size=size, score_threshold=threshold)
        made = make_edge_file(request, tmp_path / f"{size}-{threshold}")
        got = open_session(made.path).run({"pixels": pixels})
        (want,) = loaded.detect([Image(pixels, "group")])
        np.testing.assert_allclose(got["boxes"], want.bboxes, atol=1)
        counts.append(len(want))
        facts = {entry.key: entry.value for entry in onnx.load(made.path).metadata_props}
        assert json.loads(facts["facecli.parameters"])["size"] == size
        assert json.loads(made.report.read_text())["proof"]["faces"] > 0
    assert counts[0] == 6
    assert counts[2] <= counts[0]


def test_wrong_decoder_is_found_by_the_proof(store, tmp_path, monkeypatch):
    from facecli.export.edge import decoders

    def larger(graph, outputs, canvas):
        found = decoders.yunet(graph, outputs, canvas)
        return dataclasses.replace(found, boxes=graph.node("Mul", found.boxes, graph.constant(1.1)))

    request, _ = detector("yunet/n", store)
    monkeypatch.setitem(decoders.DECODERS, "yunet", larger)
    with pytest.raises(ExportError, match="IoU"):
        make_edge_file(request, tmp_path / "out")
    monkeypatch.setitem(decoders.DECODERS, "yunet", decoders.yunet)
    monkeypatch.setattr(decoders, "STRIDES", (8, 16, 16))
    with pytest.raises(ExportError, match="does not run"):
        make_edge_file(request, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_family_without_a_decoder_is_refused(store):
    request, _ = detector("yunet/n", store)
    with pytest.raises(ExportError, match="nonsense can not become one graph"):
        with_decoding(onnx.load(request.network), "nonsense", request.spec, request.parameters)
