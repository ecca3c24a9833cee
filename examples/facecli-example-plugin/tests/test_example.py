"""Run with pytest after `pip install -e .`: facecli's kit does most of it, the rest is what this plugin promises."""

# ruff: noqa: D103 - the names of tests say what they hold

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from facecli_example import thumbnail
from facecli_example.brightness import Brightness
from facecli_example.centre import PARAMETERS, CentreDetector

from facecli.errors import UsageError
from facecli.testing import check_attribute, check_detector, check_recognizer
from facecli.types import Image


def test_detector_keeps_the_contract() -> None:
    check_detector("example-centre")


def test_recognizer_keeps_the_contract() -> None:
    check_recognizer("example-thumbnail")


def test_attribute_keeps_the_contract() -> None:
    check_attribute("brightness/example")


def test_face_is_the_central_square() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (100, 200, 3), np.uint8)
    detections = CentreDetector(**PARAMETERS).detect([Image(pixels, "noise")])[0]
    np.testing.assert_allclose(detections.bboxes, [[60, 10, 140, 90]])
    assert detections.landmarks is not None
    np.testing.assert_allclose(detections.landmarks[0, 2], [100, 10 + 0.58 * 80])  # the nose


def test_parameter_out_of_range_is_refused() -> None:
    with pytest.raises(UsageError, match="fraction"):
        CentreDetector(fraction=2, min_side=32)


def test_brightness_of_black_and_white() -> None:
    crops = np.stack([np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 255, np.uint8)])
    np.testing.assert_allclose(Brightness().classify(crops), [[0], [1]], atol=1e-6)


def test_stated_hash_and_size_are_those_of_the_file() -> None:
    file = thumbnail.MODEL.files[0]
    assert file.path is not None
    content = file.path.read_bytes()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (file.sha256, file.size)
