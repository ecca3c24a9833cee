"""Resizing against Pillow and OpenCV, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.crops.resample import padded, resize

SIZES = [(1, 1), (3, 7), (159, 161), (160, 160), (160, 200), (200, 160), (250, 250), (333, 1017), (1000, 20)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("target", [(160, 160), (112, 96), (1, 1)], ids=str)
def test_antialias_is_pillows_bilinear(size: tuple[int, int], target: tuple[int, int]) -> None:
    """To the bit, one axis at a time; Pillow 13 takes the axes in another order for some sizes."""
    pillow = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    picture, bilinear = pillow.fromarray(pixels), pillow.Resampling.BILINEAR
    in_turn = picture.resize((target[0], size[0]), bilinear).resize(target, bilinear)
    ours = resize(pixels, *target, "antialias")
    np.testing.assert_array_equal(ours, np.asarray(in_turn))
    assert np.abs(ours.astype(int) - np.asarray(picture.resize(target, bilinear))).max() <= 1


@pytest.mark.parametrize("method", ["linear", "area", "antialias"])
def test_every_method_gives_the_requested_size_and_keeps_a_flat_colour(method) -> None:
    pixels = np.full((37, 90, 3), (10, 200, 30), np.uint8)
    small = resize(pixels, 20, 50, method)
    assert small.shape == (50, 20, 3)
    assert (small == (10, 200, 30)).all()


def test_only_linear_skips_pixels() -> None:
    board = np.repeat((np.indices((400, 400)).sum(0) % 2 * 255).astype(np.uint8)[:, :, None], 3, 2)
    for method, spread in (("area", 1), ("antialias", 6)):
        assert resize(board, 40, 40, method).std() < spread  # type: ignore[arg-type]


def test_padding_keeps_the_ratio_between_black_bars() -> None:
    wide = padded(np.full((50, 100, 3), 200, np.uint8), 60, 60, "linear")
    assert (wide[15:45] == 200).all()
    assert not wide[:15].any()
    assert not wide[45:].any()
    odd = padded(np.full((100, 33, 3), 200, np.uint8), 224, 224, "linear")  # 73 columns: 75 left, 76 right
    assert (odd[:, 75:148] == 200).all()
    assert not odd[:, :75].any()
    assert not odd[:, 148:].any()


def test_a_sliver_keeps_a_pixel() -> None:
    assert padded(np.full((1, 5000, 3), 9, np.uint8), 100, 100, "area").any()
