"""Models of crops: preprocessing, batches, and every recognizer of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facecli.contract import ModelSpec, Preprocessing, RecognizerPlugin, Session
from facecli.crops.preprocess import to_input
from facecli.errors import ModelError
from facecli.hosting.loader import make_runtime
from facecli.hosting.registry import Registry
from facecli.inference.session import open_session
from facecli.models import catalogue
from facecli.models.store import ModelStore
from facecli.plugins import crop_model
from facecli.plugins.crop_model import CropModel

CROPS = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)


class Echo:
    """A session that answers with each picture's mean, and remembers how many it was given at a time."""

    def __init__(self, batch: int | None, **more_inputs: Any) -> None:
        self.input_shapes: Mapping[str, Any] = {"x": (batch, 3, 4, 5), **more_inputs}
        self.batches: list[int] = []

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.batches.append(len(feeds["x"]))
        return {"y": feeds["x"].mean((1, 2, 3), keepdims=False)[:, None]}


def model(session: Echo) -> CropModel:
    runtime: Any = SimpleNamespace(session=lambda _id: session)
    return CropModel(runtime, "m", Preprocessing("RGB", (0.0,), (1.0,)), 1)


def test_colour_order_normalisation_and_layout() -> None:
    bgr = to_input(CROPS, Preprocessing("BGR", (1, 2, 3), (2, 4, 8), "NHWC"))
    np.testing.assert_allclose(bgr, (CROPS[..., ::-1].astype(np.float32) - [1, 2, 3]) / [2, 4, 8])
    rgb = to_input(CROPS, Preprocessing("RGB", (127.5,), (128.0,)))
    assert rgb.shape == (3, 3, 4, 5)
    assert rgb[0, 2, 1, 3] == np.float32((CROPS[0, 1, 3, 2] - 127.5) / 128)
    grey = to_input(CROPS, Preprocessing("grey", (0,), (1,)))
    assert grey.shape == (3, 1, 4, 5)
    np.testing.assert_allclose(grey[0, 0], CROPS[0] @ [0.299, 0.587, 0.114], rtol=1e-5)
    assert all(a.flags.c_contiguous and a.dtype == np.float32 for a in (bgr, rgb, grey))


@pytest.mark.parametrize(("fixed", "batches"), [(None, [3]), (1, [1, 1, 1]), (2, [2, 2])])
def test_a_fixed_batch_axis_is_fed_as_it_wants(fixed: int | None, batches: list[int]) -> None:
    session = Echo(fixed)
    rows = model(session).run(CROPS)
    np.testing.assert_allclose(rows[:, 0], CROPS.mean((1, 2, 3)), rtol=1e-5)
    assert session.batches == batches


def test_many_crops_are_run_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crop_model, "PIXELS_AT_ONCE", 2 * 4 * 5 + 1)
    session = Echo(None)
    rows = model(session).run(np.concatenate([CROPS, CROPS[:2]]))
    np.testing.assert_allclose(rows[:, 0], np.concatenate([CROPS, CROPS[:2]]).mean((1, 2, 3)), rtol=1e-5)
    assert session.batches == [2, 2, 1]


def test_no_crops_need_no_run() -> None:
    session = Echo(None)
    assert model(session).run(CROPS[:0]).shape == (0, 1)
    assert session.batches == []


def test_a_model_with_two_inputs_is_refused() -> None:
    with pytest.raises(ModelError, match="2 inputs"):
        model(Echo(None, z=(1,)))


def test_flip_averages_with_the_mirrored_crop(examples: Path) -> None:
    plugin = Registry().load("recognizers", "dlib-resnet", RecognizerPlugin)
    runtime = make_runtime([plugin], ModelStore())
    crops = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), dtype=np.uint8)
    plain, flip = (plugin.load(runtime, {"flip": flag}) for flag in (False, True))
    expected = (plain.embed(crops) + plain.embed(crops[:, :, ::-1])) / 2
    np.testing.assert_allclose(flip.embed(crops), expected, atol=1e-6)
    np.testing.assert_allclose(flip.embed(crops[:, :, ::-1]), expected, atol=1e-6)


def test_mobilefacenet_comes_from_a_mirror_folder(shared: Path, tmp_path: Path) -> None:
    plugin = Registry().load("recognizers", "mobilefacenet", RecognizerPlugin)
    runtime = make_runtime([plugin], ModelStore(tmp_path, mirror=str(shared / "models"), offline=True))
    crops = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
    rows = plugin.load(runtime, {}).embed(crops)
    assert rows.shape == (3, 128)
    assert np.isfinite(rows).all()


# Every recognizer of the catalogue, with a stand-in for its weights.

RECOGNIZERS = [spec for spec in map(catalogue.load, catalogue.model_ids()) if spec.kind == "recognizer"]


def stand_in(path: Path, shape: tuple[int | str, ...], dim: int) -> Session:
    """A session of an ONNX file with one row of weights per colour: each picture's mean colour, through them."""
    onnx = pytest.importorskip("onnx")
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.random.default_rng(0).standard_normal((3, dim)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["crops"], ["colours"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["colours", "weights"], ["embeddings"]),
    ]
    given = helper.make_tensor_value_info("crops", float32, shape)
    rows = helper.make_tensor_value_info("embeddings", float32, [shape[0], dim])
    graph = helper.make_graph(nodes, "tiny", [given], [rows], [onnx.numpy_helper.from_array(weights, "weights")])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)
    return open_session(path)


@pytest.mark.parametrize("spec", RECOGNIZERS, ids=lambda spec: spec.id)
def test_a_recognizer_needs_no_code_of_its_own(spec: ModelSpec, tmp_path: Path) -> None:
    """Its embeddings are the file's, of crops in its colour order and range, however its batch axis is."""
    plugin = Registry().load("recognizers", spec.id, RecognizerPlugin)
    how, crop = spec.preprocessing, plugin.crop
    assert how is not None
    assert plugin.dim == spec.dim
    crops = np.random.default_rng(0).integers(0, 256, (3, crop.height, crop.width, 3), dtype=np.uint8)
    crops[..., 0] //= 4  # colours that differ
    for batch in ("n", 1):
        session = stand_in(tmp_path / f"{batch}.onnx", (batch, 3, crop.height, crop.width), plugin.dim)
        runtime: Any = SimpleNamespace(session=lambda _id, session=session: session)
        rows = plugin.load(runtime, {}).embed(crops)
        ordered = crops[..., ::-1] if how.colour == "BGR" else crops
        pixels = (ordered.astype(np.float64) - how.mean) / how.std
        expected = pixels.mean((1, 2)) @ np.random.default_rng(0).standard_normal((3, plugin.dim)).astype(np.float32)
        if plugin.normalized:
            expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        np.testing.assert_allclose(rows, expected, rtol=1e-3, atol=1e-4)


def test_an_entry_point_for_every_recognizer_of_the_catalogue() -> None:
    assert set(Registry(third_party=False).names("recognizers")) == {spec.id for spec in RECOGNIZERS}


@pytest.mark.parametrize("spec", RECOGNIZERS, ids=lambda spec: spec.id)
def test_a_threshold_has_a_source_and_its_rate_a_protocol(spec: ModelSpec) -> None:
    point = spec.operating_point
    assert point is not None
    assert 0 < point.threshold < (1 if point.metric == "cosine" else 2)
    assert (point.fmr is None) == (point.protocol is None), "a rate has a protocol, and a protocol a rate"
    assert point.protocol or "measured" in point.source or "OpenCV" in point.source or "calibrate" in point.source
    assert list(point.by_fmr) == sorted(point.by_fmr, reverse=True)


def test_sface_is_fed_as_opencv_feeds_it(tmp_path: Path) -> None:
    import cv2

    pytest.importorskip("onnx")
    stand_in(tmp_path / "sface.onnx", (1, 3, 112, 112), 128)
    crop = np.random.default_rng(1).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    crop[..., 0] //= 4
    theirs = cv2.FaceRecognizerSF.create(str(tmp_path / "sface.onnx"), "").feature(crop[..., ::-1].copy())
    plugin = Registry().load("recognizers", "sface", RecognizerPlugin)
    runtime: Any = SimpleNamespace(session=lambda _id: open_session(tmp_path / "sface.onnx"))
    np.testing.assert_allclose(plugin.load(runtime, {}).embed(crop[None]), theirs, rtol=1e-4, atol=1e-3)


def test_the_page_of_recognizers_names_every_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "recognizers.md").read_text("utf-8")
    assert [spec.id for spec in RECOGNIZERS if f"`{spec.id}`" not in page] == []
