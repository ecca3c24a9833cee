"""The detectors with published weights, from ../shared: against OpenCV, insightface and each other."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facecli.evaluation import ground_truth
from facecli.geometry import overlap
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader
from facecli.hosting.presets import PRESETS
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.inference.session import open_session
from facecli.models import catalogue
from facecli.models.store import ModelStore
from facecli.plugins.detectors import scrfd, yolov5_face
from facecli.plugins.single_shot.cells import STRIDES
from facecli.plugins.single_shot.detector import SingleShotDetector
from facecli.types import Image

# Read off collins.jpg by eye, px; image-left first.
BY_EYE = np.array([[205, 101], [248, 103], [225, 128], [203, 139], [245, 142]])
PUBLISHED = ["scrfd", "yunet", "yolov8-face", "yolov5-face"]


@pytest.fixture
def load(shared: Path, tmp_path: Path) -> Callable[..., Any]:
    """A detector with weights from the shared folder."""
    store = ModelStore(tmp_path, mirror=str(shared / "models"), offline=True, accept_licence=True)

    def make(name: str, **parameters: Any) -> Any:
        choice = Choice(name, parameters={name: parameters} if parameters else {})
        return Toolbox(choice, Loader(Registry(third_party=False), store, device="cpu", threads=2)).detector

    return make


@pytest.fixture(scope="module")
def wider(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Six pictures of wider_dev, with at least five easy faces each: `images`, and the `boxes` (N, 4) of those."""
    folder = tmp_path_factory.mktemp("wider")
    with zipfile.ZipFile(shared / "data" / "wider_dev.zip") as archive:
        truth = ground_truth.read(Path(archive.extract("ground_truth.json", folder)))
        names = [name for name, own in truth.items() if len(own.subsets["easy"]) >= 5][:6]
        images = [read(Path(archive.extract(name, folder))) for name in names]
    boxes = [truth[name].boxes[truth[name].subsets["easy"]].astype(np.float32) for name in names]
    return {"images": images, "boxes": [np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], 1) for b in boxes]}


def read(path: Path) -> Image:
    return Image(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), path.name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_landmarks_are_where_the_eyes_are(load: Callable, examples: Path, name: str) -> None:
    (faces,) = load(name).detect([read(examples / "collins.jpg")])
    assert len(faces) == 1
    assert np.abs(faces.landmarks[0] - BY_EYE).max() < 7


@pytest.mark.parametrize("name", PUBLISHED)
def test_easy_faces_are_found_and_all_are_sane(load: Callable, wider: dict[str, Any], name: str) -> None:
    found = load(name).detect(wider["images"])
    hits = [
        overlap(boxes, own.bboxes).max(1, initial=0) >= 0.5 for boxes, own in zip(wider["boxes"], found, strict=True)
    ]
    assert sum(map(len, hits)) >= 30
    assert np.concatenate(hits).mean() >= 0.8
    for faces in found:
        left, top, right, bottom = faces.bboxes.T[:, :, None]
        x, y = faces.landmarks[..., 0], faces.landmarks[..., 1]
        margin = (right - left) * 0.25
        assert ((x > left - margin) & (x < right + margin) & (y > top - margin) & (y < bottom + margin)).all()
    points = np.concatenate([faces.landmarks for faces in found])
    assert (points[:, :2, 1].mean(1) < points[:, 3:, 1].mean(1)).mean() > 0.95  # eyes above mouths
    assert (points[:, 0, 0] < points[:, 1, 0]).mean() > 0.9  # the eye at the left comes first


@pytest.mark.parametrize("model", ["n", "n-640"])
def test_yunet_is_opencvs(load: Callable, shared: Path, examples: Path, wider: dict[str, Any], model: str) -> None:
    """The same pixels, 640x640, to both; OpenCV suppresses on whole pixels, so a box on the edge may differ."""
    path = str(shared / "models" / "yunet_n_640_640.onnx")
    theirs = cv2.FaceDetectorYN.create(path, "", (640, 640), 0.6, 0.3, 5000)
    ours = load("yunet", model=model, size=640, score_threshold=0.6, nms_threshold=0.3, multi_scale="never")
    different = total = 0
    for picture in [read(examples / "collins.jpg"), *wider["images"]]:
        square = np.zeros((640, 640, 3), np.uint8)
        scale = 640 / max(picture.height, picture.width)
        small = cv2.resize(picture.pixels, None, fx=scale, fy=scale)[:640, :640]
        square[: small.shape[0], : small.shape[1]] = small
        _, rows = theirs.detect(np.ascontiguousarray(square[..., ::-1]))
        (found,) = ours.detect([Image(square, picture.source)])
        rows = np.zeros((0, 15), np.float32) if rows is None else rows
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], 1)
        total += len(boxes) + len(found)
        shared_part = overlap(boxes, found.bboxes)
        same = shared_part.max(1, initial=0) >= 0.99
        different += (~same).sum() + (shared_part.max(0, initial=0) < 0.99).sum()
        match = shared_part.argmax(1)[same] if len(found) else np.zeros(0, int)
        np.testing.assert_allclose(found.bboxes[match], boxes[same], atol=0.05)
        np.testing.assert_allclose(found.landmarks[match].reshape(-1, 10), rows[same, 4:14], atol=0.05)
        np.testing.assert_allclose(found.scores[match], rows[same, 14], atol=1e-4)
    assert total >= 60
    assert different <= 0.02 * total


@pytest.mark.parametrize(("model", "file"), [("500m", "scrfd_500m_kps.onnx"), ("2.5g", "scrfd_2.5g_kps.onnx")])
def test_scrfd_is_insightfaces(load: Callable, shared: Path, wider: dict[str, Any], model: str, file: str) -> None:
    """Runs where insightface is installed beside facecli: `tox run -e insightface`."""
    package = pytest.importorskip("insightface.model_zoo.scrfd", reason="insightface is not installed")
    theirs = package.SCRFD(str(shared / "models" / file))
    theirs.prepare(0, input_size=(640, 640), det_thresh=0.5)
    ours = load("scrfd", model=model, multi_scale="never", score_threshold=0.5)
    faces = 0
    for picture in wider["images"]:
        rows, points = theirs.detect(np.ascontiguousarray(picture.pixels[..., ::-1]))
        (found,) = ours.detect([picture])
        assert len(rows) == len(found)
        faces += len(rows)
        shared_part = overlap(rows[:, :4].astype(np.float32), found.bboxes)
        match = shared_part.argmax(1) if len(rows) else np.zeros(0, int)
        assert (shared_part.max(1, initial=0) >= 0.99).all()
        np.testing.assert_allclose(found.landmarks[match], points, atol=1)
        np.testing.assert_allclose(found.scores[match], rows[:, 4], atol=1e-4)
    assert faces >= 30


@pytest.mark.parametrize("size", ["fixed", "free"])
def test_the_preset_insightface_gives_its_boxes(
    shared: Path, tmp_path: Path, examples: Path, wider: dict[str, Any], size: str
) -> None:
    """Its FaceAnalysis looks at squares of 128 and 640 px where a file takes any size, as buffalo_l's does."""
    package = pytest.importorskip("insightface.model_zoo.scrfd", reason="insightface is not installed")
    path = shared / "models" / "scrfd_500m_kps.onnx"
    path = of_any_size(path, tmp_path / "free.onnx") if size == "free" else path
    theirs = package.SCRFD(str(path))
    theirs.prepare(0, input_size=[(128, 128), (640, 640)], det_thresh=0.5)
    parameters = {**PRESETS["insightface"].parameters["scrfd"]}
    parameters.pop("model")
    settings = replace(scrfd.FAMILY.defaults, **parameters)
    ours = SingleShotDetector(scrfd.FAMILY, catalogue.load("scrfd/500m"), open_session(path), settings)
    portraits = [read(examples / name) for name in ("collins.jpg", "hopper.jpg", "collins_variant.jpg")]
    tight = Image(np.ascontiguousarray(portraits[0].pixels[60:180, 180:272]), "a face that fills the picture")
    faces = 0
    for picture in [*portraits, tight, *wider["images"]]:
        rows, points = theirs.detect(np.ascontiguousarray(picture.pixels[..., ::-1]))
        (found,) = ours.detect([picture])
        assert len(rows) == len(found)
        assert len(rows) or (picture is tight and size == "fixed")
        faces += len(rows)
        shared_part = overlap(rows[:, :4].astype(np.float32), found.bboxes)
        match = shared_part.argmax(1) if len(rows) else np.zeros(0, int)
        assert (shared_part.max(1, initial=0) >= 0.99).all()
        np.testing.assert_allclose(found.landmarks[match], points, atol=1)
    assert faces >= 30


def of_any_size(path: Path, copy: Path) -> Path:
    """The same network with height and width left free, as InsightFace publishes it."""
    onnx = pytest.importorskip("onnx", reason="changing a model needs onnx")
    model = onnx.load(path)
    for axis, dim in enumerate(model.graph.input[0].type.tensor_type.shape.dim):
        if axis >= 2:
            dim.dim_param = f"side{axis}"
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
        output.type.tensor_type.shape.SetInParent()
        for _ in range(3):
            output.type.tensor_type.shape.dim.add()
    onnx.save(model, copy)
    return copy


def test_scrfd_sees_a_face_that_fills_the_picture(load: Callable, examples: Path) -> None:
    whole = read(examples / "collins.jpg").pixels[60:180, 180:272]
    tight = Image(np.ascontiguousarray(whole), "tight")
    assert len(load("scrfd", multi_scale="never").detect([tight])[0]) == 0
    (found,) = load("scrfd").detect([tight])
    assert len(found) == 1
    assert np.abs(found.landmarks[0] - (BY_EYE - [180, 60])).max() < 6


class LastLayer:
    """A session whose maps go through the last layer that yolov5-face's own export keeps (models/yolo.py, Detect)."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.input_shapes = inner.input_shapes

    def run(self, feeds: Any) -> dict[str, np.ndarray]:
        levels = []
        for maps, stride, anchors in zip(self._inner.run(feeds).values(), STRIDES, yolov5_face.ANCHORS, strict=True):
            _, _, height, width, _ = maps.shape
            grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)[None, None].astype(np.float32)
            size = anchors[None, :, None, None]
            likely = 1 / (1 + np.exp(-maps))
            centre, sides = (likely[..., :2] * 2 - 0.5 + grid) * stride, (likely[..., 2:4] * 2) ** 2 * size
            points = maps[..., 5:15] * np.tile(size, 5) + np.tile(grid, 5) * stride
            rows = np.concatenate([centre, sides, likely[..., 4:5], points, likely[..., 15:]], -1)
            levels.append(rows.reshape(1, -1, 16))
        return {"output": np.concatenate(levels, 1).astype(np.float32)}


def test_a_yolov5_file_that_ends_in_rows_finds_equal_faces(load: Callable, wider: dict[str, Any]) -> None:
    maps = load("yolov5-face")
    family, session = yolov5_face.FAMILY, LastLayer(maps.network.session)
    rows = SingleShotDetector(family, catalogue.load("yolov5-face/n"), session, family.defaults)
    faces = 0
    for one, other in zip(maps.detect(wider["images"]), rows.detect(wider["images"]), strict=True):
        faces += len(one)
        np.testing.assert_allclose(other.bboxes, one.bboxes, atol=0.05)
        np.testing.assert_allclose(other.scores, one.scores, atol=1e-4)
        np.testing.assert_allclose(other.landmarks, one.landmarks, atol=0.05)
    assert faces >= 30


def test_scrfd_sees_a_face_that_fills_the_picture_beside_a_small_one(load: Callable, examples: Path) -> None:
    portrait = read(examples / "collins.jpg").pixels
    large = cv2.resize(portrait[60:180, 180:272], (368, 480))
    small = cv2.resize(portrait[30:200, 150:300], (66, 75))
    pixels = np.zeros((570, 368, 3), np.uint8)
    pixels[:480] = large
    pixels[490:565, 5:71] = small
    both = Image(pixels, "two")
    (once,) = load("scrfd", multi_scale="never").detect([both])
    (twice,) = load("scrfd").detect([both])
    assert [len(once), len(twice)] == [1, 2]
    widths = twice.bboxes[:, 2] - twice.bboxes[:, 0]
    assert widths.max() > 250
    assert widths.min() < 60
