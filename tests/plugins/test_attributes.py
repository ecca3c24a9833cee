"""Attribute models: labels, columns, logits, and published weights on real portraits."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from facecli.contract import AttributePlugin
from facecli.crops import cutting
from facecli.hosting.loader import make_runtime
from facecli.hosting.registry import Registry
from facecli.models.store import ModelStore
from facecli.plugins.attributes.catalogued import softmax
from facecli.testing import assert_conforms
from facecli.types import Detections, Image


def plugin(name: str) -> AttributePlugin:
    return Registry(third_party=False).load("attributes", name, AttributePlugin)


class Told:
    """A session that answers with the rows that it was made with, and keeps what it was given."""

    def __init__(self, rows: Any, shape: tuple[int | None, ...]) -> None:
        self.rows = np.float32(rows)
        self.input_shapes: Mapping[str, Any] = {"x": shape}
        self.seen: list[np.ndarray] = []

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.seen.append(feeds["x"])
        return {"y": self.rows[: len(feeds["x"])]}


def loaded(name: str, **sessions: Told) -> Any:
    runtime: Any = SimpleNamespace(session=lambda model_id: sessions[model_id.replace("-", "_").replace("/", "_")])
    return plugin(name).load(runtime, {})


def crops(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def test_softmax() -> None:
    rows = softmax(np.float32([[0, 0], [1000, 0], [np.log(3), 0]]))
    np.testing.assert_allclose(rows, [[0.5, 0.5], [1, 0], [0.75, 0.25]], atol=1e-6)
    assert rows.dtype == np.float32
    assert softmax(np.zeros((0, 3), np.float32)).shape == (0, 3)


def test_columns_come_in_the_order_of_the_labels_whatever_the_files() -> None:
    """Progressive Teacher's file has neutral fifth and logits; facecli tells neutral last and probabilities."""
    upstream = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
    logits = np.log(np.arange(1, 8) / 28)
    model = loaded(
        "emotion/progressive-teacher", emotion_progressive_teacher=Told([logits, logits], (None, 3, 112, 112))
    )
    rows = model.classify(crops(2, 112))
    told = dict(zip(plugin("emotion/progressive-teacher").labels, rows[0], strict=True))
    assert told == pytest.approx({label: (place + 1) / 28 for place, label in enumerate(upstream)})
    assert list(told)[-1] == "neutral"


def test_genderage_is_parted_into_gender_and_years() -> None:
    session = Told([[1.0, 3.0, 0.315], [2.0, 0.0, 0.052]], (None, 3, 96, 96))
    gender, age = loaded("gender/genderage", genderage=session), loaded("age/genderage", genderage=session)
    faces = crops(2, 96)
    np.testing.assert_allclose(gender.classify(faces), softmax(np.float32([[1, 3], [2, 0]])), rtol=1e-6)
    np.testing.assert_allclose(age.classify(faces), [[31.5], [5.2]], rtol=1e-6)
    assert gender.classify(faces[:0]).shape == (0, 2) and age.classify(faces[:0]).shape == (0, 1)
    np.testing.assert_array_equal(session.seen[0], faces.transpose(0, 3, 1, 2))  # RGB, as it is
    assert plugin("gender/genderage").labels == ("woman", "man")  # insightface: 0 is F
    assert plugin("age/genderage").models == plugin("gender/genderage").models


def test_minifasnet_averages_two_networks_of_two_crops() -> None:
    first = Told([[0, np.log(8), 0]], (None, 3, 80, 80))
    second = Told([[np.log(2), np.log(6), np.log(2)]], (None, 3, 80, 80))
    model = loaded("spoof/minifasnet", minifasnet_v2=first, minifasnet_v1se=second)
    near, far = crops(1, 80), 255 - crops(1, 80)
    np.testing.assert_allclose(model.classify(near, far), [[(0.8 + 0.6) / 2, 0.3]], rtol=1e-6)
    np.testing.assert_array_equal(first.seen[0], near[..., ::-1].transpose(0, 3, 1, 2))  # BGR, 0 to 255
    np.testing.assert_array_equal(second.seen[0], far[..., ::-1].transpose(0, 3, 1, 2))
    assert model.classify(near[:0], far[:0]).shape == (0, 2)


def silent_face_crop(pixels: np.ndarray, bbox: tuple[float, ...], scale: float) -> np.ndarray:
    """Silent-Face's own rule (src/generate_patches.py): x, y, width, height; fit, shift inside, last pixel included."""
    height, width = pixels.shape[:2]
    x, y, w, h = bbox
    scale = min((height - 1) / h, (width - 1) / w, scale)
    left, top = x + w / 2 - w * scale / 2, y + h / 2 - h * scale / 2
    right, bottom = left + w * scale, top + h * scale
    left, right = (0, right - left) if left < 0 else (left, right)
    top, bottom = (0, bottom - top) if top < 0 else (top, bottom)
    if right > width - 1:
        left, right = left - (right - width + 1), width - 1
    if bottom > height - 1:
        top, bottom = top - (bottom - height + 1), height - 1
    return cv2.resize(pixels[int(top) : int(bottom) + 1, int(left) : int(right) + 1], (80, 80))


@pytest.mark.parametrize("bbox", [(180, 60, 90, 114), (2, 3, 90, 114), (400, 380, 100, 120), (150, 100, 200, 300)])
def test_minifasnets_crops_are_those_of_its_project(examples: Path, bbox: tuple[float, ...]) -> None:
    pixels = np.ascontiguousarray(cv2.imread(str(examples / "collins.jpg"))[:, :, ::-1])
    x, y, w, h = bbox
    faces = Detections(np.float32([[x, y, x + w, y + h]]), np.float32([0.9]))
    descriptor = plugin("spoof/minifasnet")
    for spec, scale in zip((descriptor.crop, *descriptor.more_crops), (2.7, 4.0), strict=True):
        (cut,) = cutting.cut(Image(pixels, "test"), faces, spec)
        np.testing.assert_array_equal(cut, silent_face_crop(pixels, bbox, scale))


def test_genderages_crop_is_insightfaces(examples: Path) -> None:
    """1.5 times the longer side around the centre of the bbox, by a bilinear warp."""
    pixels = np.ascontiguousarray(cv2.imread(str(examples / "collins_variant.jpg"))[:, :, ::-1])
    x1, y1, x2, y2 = 94.0, 48.0, 188.0, 162.0
    scale = 96 / (max(x2 - x1, y2 - y1) * 1.5)
    matrix = np.array([[scale, 0, 48 - (x1 + x2) / 2 * scale], [0, scale, 48 - (y1 + y2) / 2 * scale]])
    faces = Detections(np.float32([[x1, y1, x2, y2]]), np.float32([0.9]))
    (cut,) = cutting.cut(Image(pixels, "test"), faces, plugin("age/genderage").crop)
    difference = np.abs(cut.astype(int) - cv2.warpAffine(pixels, matrix, (96, 96)))
    assert difference.max() <= 1


@pytest.fixture(scope="module")
def exported(torch: Any, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """A store with the attribute models whose weights are here, exported the quick way and without a proof."""
    from facecli.contract import ExportRecipe

    folder = tmp_path_factory.mktemp("attributes")
    store = ModelStore(folder / "home")
    sources = {
        "gender-mini-xception": "gender_mini_xception.hdf5",
        "minifasnet-v2": "2.7_80x80_MiniFASNetV2.pth",
        "minifasnet-v1se": "4_0_0_80x80_MiniFASNetV1SE.pth",
    }
    for name, file in sources.items():
        recipe = Registry(third_party=False).load("recipes", name, ExportRecipe)
        (part,) = recipe.build(shared / "models" / file)
        inputs = tuple(torch.from_numpy(array) for array in part.sample(2, 0))
        axes = {key: dict(value) for key, value in part.dynamic_axes.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that this way is the older one
            torch.onnx.export(
                part.module,
                inputs,
                folder / part.file,
                dynamo=False,
                dynamic_axes=axes,
                input_names=part.input_names,
                output_names=part.output_names,
                opset_version=18,
            )
        store.register(recipe.model, [folder / part.file], {})
    return store


@pytest.mark.parametrize("name", ["spoof/minifasnet", "gender/mini-xception"])
def test_plugin_keeps_the_contract(exported: ModelStore, examples: Path, name: str) -> None:
    pixels = np.ascontiguousarray(cv2.imread(str(examples / "hopper.jpg"))[:, :, ::-1])
    assert_conforms(
        name, "attributes", picture=Image(pixels, "hopper"), runtime=make_runtime((plugin(name),), exported)
    )


def test_portraits_are_real(exported: ModelStore, examples: Path, run_cli: Callable) -> None:
    env = {"FACECLI_HOME": str(exported.root)}
    portraits = [examples / name for name in ("collins.jpg", "collins_variant.jpg", "hopper.jpg")]
    images = run_cli("analyze", *portraits, "-a", "spoof", "--json", env=env).json["images"]
    assert [image["faces"][0]["spoof"]["label"] for image in images] == ["real"] * 3


def test_gender_of_people_with_a_first_name_of_one_gender(
    exported: ModelStore, shared: Path, tmp_path: Path, run_cli: Callable
) -> None:
    names = {"woman": ("Jennifer_", "Gloria_", "Laura_", "Julie_"), "man": ("George_", "John_", "Paul_", "Robert_")}
    with zipfile.ZipFile(shared / "data" / "lfw_dev.zip") as archive:
        found = [path for path in sorted(archive.namelist()) if path.endswith(".jpg")]
        told = {
            path: gender
            for gender, first in names.items()
            for path in [p for p in found if Path(p).name.startswith(first)][:10]
        }
        archive.extractall(tmp_path, told)
    env = {"FACECLI_HOME": str(exported.root)}
    done = run_cli("analyze", *told, "-a", "gender", "--face", "center", "--json", env=env, cwd=tmp_path).json["images"]
    right = [image["faces"][0]["gender"]["label"] == told[image["source"]] for image in done if image["faces"]]
    assert len(right) >= 15
    assert sum(right) / len(right) >= 0.85
