"""Area averages against plain means of whole pixels."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.plugins.area_means import IntegralImage, bins


@pytest.mark.parametrize(("length", "count"), [(10, 7), (23, 7), (7, 7), (5, 24), (101, 24)])
def test_bins_are_those_of_adaptive_average_pooling(length: int, count: int) -> None:
    first, last = bins(np.array([3]), np.array([3 + length]), count)
    expected = [(3 + i * length // count, 3 + -(-(i + 1) * length // count)) for i in range(count)]
    assert list(zip(first[0].tolist(), last[0].tolist(), strict=True)) == expected


def test_level_and_crops_are_plain_averages() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (47, 61, 3), dtype=np.uint8)
    integral = IntegralImage(pixels)
    level = integral.level(20, 30, 5, 15)
    y, x = 47 * 7 // 20, 61 * 11 // 30
    area = pixels[y : -(-47 * 8 // 20), x : -(-61 * 12 // 30)].reshape(-1, 3)
    np.testing.assert_allclose(level[:, 7 - 5, 11], area.mean(0), rtol=1e-6)
    crop = integral.crops(np.array([[10, 20, 34, 44]]), 24)[0]
    np.testing.assert_array_equal(crop, pixels[20:44, 10:34].transpose(2, 0, 1))


def test_sums_beyond_31_bits_come_out_right() -> None:
    """9 megapixels of white overflow the integral image's int32; the averages must not notice."""
    integral = IntegralImage(np.full((3000, 3000, 3), 255, np.uint8))
    assert (integral.level(30, 30, 0, 30) == 255).all()
