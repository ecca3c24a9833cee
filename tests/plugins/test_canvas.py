"""Pictures on canvases: size, place, scale and preprocessed pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.contract import Preprocessing
from facecli.plugins.single_shot.canvas import GRID, draw, place


@pytest.mark.parametrize(
    ("size", "picture", "canvas"),
    [
        ((886, 1280), (443, 640), (448, 640)),
        ((1280, 886), (640, 443), (640, 448)),
        ((640, 640), (640, 640), (640, 640)),
        ((10, 20), (320, 640), (320, 640)),  # enlarged
        ((1, 5000), (1, 640), (32, 640)),
        ((5000, 1), (640, 1), (640, 32)),
    ],
)
def test_a_picture_is_as_large_as_the_canvas_allows(
    size: tuple[int, int], picture: tuple[int, int], canvas: tuple[int, int]
) -> None:
    free = place(*size, within=(640, 640), fixed=None)
    assert (free.picture, free.canvas) == (picture, canvas)
    fixed = place(*size, within=(640, 640), fixed=(640, 640))
    assert (fixed.picture, fixed.canvas) == (picture, (640, 640))


def test_one_scale_is_that_of_the_height() -> None:
    exact = place(886, 1279, within=(640, 640), fixed=None)
    assert exact.scale == (640 / 1279, 443 / 886)
    assert place(886, 1279, within=(640, 640), fixed=None, one_scale=True).scale == (443 / 886, 443 / 886)


@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(32, 2000), st.integers(32, 2000))
def test_a_picture_is_always_on_its_canvas(height: int, width: int, down: int, across: int) -> None:
    where = place(height, width, within=(down, across), fixed=None)
    for own, limit, canvas in zip(where.picture, (down, across), where.canvas, strict=True):
        assert 1 <= own <= limit
        assert own <= canvas < own + GRID
        assert canvas % GRID == 0


@pytest.mark.parametrize(("height", "width"), [(30, 60), (60, 30)])
@pytest.mark.parametrize("colour", ["RGB", "BGR"])
def test_pixels_are_prepared_as_the_model_wants_and_the_rest_is_black(colour: str, height: int, width: int) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    where = place(height, width, within=(64, 64), fixed=(64, 64))
    out = np.full((3, 64, 64), np.nan, np.float32)
    mean, std = (10.0, 20.0, 30.0), (2.0, 4.0, 5.0)
    draw(pixels, where, Preprocessing(colour, mean, std), out)  # type: ignore[arg-type]
    whole = np.zeros((64, 64, 3), np.uint8)
    down, across = where.picture
    whole[:down, :across] = cv2.resize(pixels, (across, down))
    whole = whole if colour == "RGB" else whole[..., ::-1]
    np.testing.assert_allclose(out, ((whole - np.array(mean)) / std).transpose(2, 0, 1), atol=1e-5)


def test_grey_values_stay_what_they_are_without_mean_and_std() -> None:
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    out = np.empty((3, 16, 16), np.float32)
    draw(pixels, place(16, 16, within=(16, 16), fixed=(16, 16)), Preprocessing("RGB", (0.0,), (1.0,)), out)
    np.testing.assert_array_equal(out[1].ravel(), np.arange(256))
