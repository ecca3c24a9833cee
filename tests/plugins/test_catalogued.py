from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facecli.contract import Preprocessing, RecognizerPlugin
from facecli.errors import ModelError
from facecli.models.store import ModelStore
from facecli.plugins.onnx import OnnxModel
from facecli.preprocess import to_input
from facecli.registry import Registry
from facecli.toolbox import make_runtime

CROPS = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)


class Echo:
    """A session that answers with each picture's mean, and remembers how many it was given at a time."""

    def __init__(self, batch: int | None, **more_inputs: Any) -> None:
        self.input_shapes: Mapping[str, Any] = {"x": (batch, 3, 4, 5), **more_inputs}
        self.batches: list[int] = []

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.batches.append(len(feeds["x"]))
        return {"y": feeds["x"].mean((1, 2, 3), keepdims=False)[:, None]}


def model(session: Echo) -> OnnxModel:
    runtime: Any = SimpleNamespace(session=lambda _id: session)
    return OnnxModel(runtime, "m", Preprocessing("RGB", (0.0,), (1.0,)), 1)


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
