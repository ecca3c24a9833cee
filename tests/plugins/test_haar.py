"""OpenCV's cascade: parameters that would hang it, black borders, and eyes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.errors import UsageError
from facecli.geometry import overlap
from facecli.plugins.detectors import haar
from facecli.plugins.detectors.haar import DEFAULTS, Haar
from facecli.types import Detections, Image


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale_factor": 1},
        {"scale_factor": 0.5},
        {"scale_factor": 1.009},
        {"scale_factor": 1e9},
        {"scale_factor": float("nan")},
        {"min_neighbors": -1},
        {"min_neighbors": 1.5},
        {"min_size": 0},
        {"min_size": 2.5},
        {"min_size": 2**40},
        {"border": -0.1},
        {"border": 1.5},
        {"border": float("nan")},
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="haar can not work with these parameters"):
        Haar(**DEFAULTS | wrong)


@pytest.mark.parametrize("factor", ["1", "1.0000001", "1e8"])
def test_a_wrong_range_ends_the_command_once(run_cli: Any, examples: Path, factor: str) -> None:
    pictures = [examples / "hopper.jpg", examples / "collins.jpg"]
    done = run_cli("detect", *pictures, "--detector", "haar", "-p", f"haar.scale_factor={factor}", "--json")
    assert done.returncode == 2
    assert len(done.errors) == 1
    assert "scale_factor 1.01 to 1000" in done.errors[0]


@pytest.mark.parametrize("factor", ["1.01", "1000"])
def test_the_ends_of_the_range_work(run_cli: Any, examples: Path, factor: str) -> None:
    done = run_cli("detect", examples / "collins.jpg", "--detector", "haar", "-p", f"haar.scale_factor={factor}")
    assert (done.returncode, done.errors) == (0, [])


def read(path: Path) -> Image:
    return Image(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), path.name)


def test_eyes_are_at_their_places_and_only_on_request(examples: Path) -> None:
    haar = Haar(**DEFAULTS | {"min_neighbors": 10, "min_size": 1, "border": 0.5, "eyes": True})
    collins, hopper, both = haar.detect(
        [read(examples / "collins.jpg"), read(examples / "hopper.jpg"), Image(np.zeros((9, 9, 3), np.uint8), "black")]
    )
    np.testing.assert_allclose(collins.eyes[0], [[205, 101], [248, 103]], atol=6)  # read off by eye
    assert np.isnan(hopper.eyes).all()
    assert hopper.eyes.shape == (1, 2, 2)
    assert both.eyes.shape == (0, 2, 2)
    assert collins.landmarks is None
    assert Haar(**DEFAULTS).detect([read(examples / "collins.jpg")])[0].eyes is None


def test_a_black_border_shows_faces_at_the_edge_and_moves_none(examples: Path) -> None:
    picture = read(examples / "collins.jpg")
    cut = Image(np.ascontiguousarray(picture.pixels[74:154, 185:264]), "only the face")
    assert len(Haar(**DEFAULTS).detect([cut])[0]) == 0
    (found,) = Haar(**DEFAULTS | {"border": 0.5}).detect([cut])
    assert overlap(found.bboxes, np.array([[-8, -8, 87, 88]], np.float32)).max() > 0.8


def test_a_very_large_picture_is_looked_at_in_a_smaller_size(examples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its boxes are in its own px."""
    picture = read(examples / "collins.jpg")
    large = replace(picture, pixels=np.ascontiguousarray(picture.pixels.repeat(4, 0).repeat(4, 1)))
    (whole,) = Haar(**DEFAULTS).detect([picture])
    monkeypatch.setattr(haar, "MOST_PIXELS", picture.width * picture.height)
    (found,) = Haar(**DEFAULTS).detect([large])
    assert len(found) == len(whole) == 1
    np.testing.assert_allclose(found.bboxes, whole.bboxes * 4, atol=8)


def test_a_crop_is_turned_by_the_eyes(examples: Path) -> None:
    """As the preset deepface cuts: upright where eyes are, as the picture lies where none are."""
    picture = read(examples / "collins_variant.jpg")
    box, score = np.array([[90, 46, 195, 151]], np.float32), np.ones(1, np.float32)
    eyes = np.array([[[117, 88], [162, 83]]], np.float32)
    points = np.concatenate([eyes, eyes, eyes[:, :1]], 1)
    spec = CropSpec(105, 105, resample="linear", fit="pad", upright=True)
    as_landmarks = cutting.cut(picture, Detections(box, score, points), spec)
    as_eyes = cutting.cut(picture, Detections(box, score, eyes=eyes), spec)
    without = cutting.cut(picture, Detections(box, score, eyes=eyes * np.nan), spec)
    np.testing.assert_array_equal(as_eyes, as_landmarks)
    np.testing.assert_array_equal(without, cutting.cut(picture, Detections(box, score), spec))
    assert (as_eyes != without).mean() > 0.5


def test_the_preset_deepface_looks_for_eyes(run_cli: Any, examples: Path, tmp_path: Path) -> None:
    words = ("--preset", "deepface", "--crops-for", "vgg-face", "--crops")
    done = run_cli("detect", examples / "collins_variant.jpg", *words, tmp_path / "turned", "--json")
    assert done.returncode == 0, done.stderr
    used = done.json["detector"]["parameters"]
    assert (used["border"], used["eyes"]) == (0.5, True)
    run_cli("detect", examples / "collins_variant.jpg", "-p", "haar.eyes=false", *words, tmp_path / "as-it-lies")
    crops = [read(next((tmp_path / name).iterdir())).pixels for name in ("turned", "as-it-lies")]
    assert (crops[0] != crops[1]).mean() > 0.5
