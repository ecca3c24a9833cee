"""A veil is as coarse on a large face as on a small one, and touches nothing beside it."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.anonymise.veil import METHODS, SHAPES, Veil
from facecli.errors import UsageError


def noise(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (side, side, 3)).astype(np.uint8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("side", [12, 60, 500])
def test_what_is_left_of_a_face_does_not_depend_on_its_size(method, side):
    pixels = noise(2 * side)
    before = pixels.copy()
    box = np.array([0.5, 0.5, 1.5, 1.5], np.float32) * side
    Veil(method, 6, 0.2).lay(pixels, [box])
    inside = np.zeros((2 * side, 2 * side), bool)
    low, high = int(np.floor(0.3 * side)), int(np.ceil(1.7 * side))
    inside[low:high, low:high] = True
    assert np.array_equal(pixels[~inside], before[~inside])
    part = pixels[low:high, low:high]
    if method == "pixelate":
        assert len(np.unique(part.reshape(-1, 3), axis=0)) <= 9**2
    if method == "mask":
        assert not part.any()
    # Noise averages out within cells of 1/6 of the face.
    assert part.std() < before.std() / 2


def test_an_ellipse_covers_the_same_part_of_a_face_that_a_border_cuts():
    whole, cut = np.full((200, 200, 3), 255, np.uint8), np.full((200, 130, 3), 255, np.uint8)
    for pixels in (whole, cut):
        Veil("mask", shape="ellipse").lay(pixels, [np.array([50, 60, 150, 140], np.float32)])
    assert np.array_equal(whole[:, :130], cut)
    assert not whole[62:138, 62:138].any()  # the face, but for its corners
    assert whole[46, 32].all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", METHODS)
def test_faces_at_the_border_and_beyond_it(method, shape):
    pixels = noise(100)
    boxes = [[-50, -50, 20, 20], [90, 90, 300, 300], [200, 200, 300, 300], [-1e6, 0, 1e6, 100], [5, 5, 5.1, 5.1]]
    Veil(method, shape=shape).lay(pixels, np.array(boxes, np.float32))
    assert pixels.std() < noise(100).std() / 2


WRONG = ({"method": "smear"}, {"shape": "star"}, {"cells": 0}, {"cells": 65}, {"margin": -0.1}, {"margin": 3})


@pytest.mark.parametrize("wrong", WRONG)
def test_no_veil(wrong):
    with pytest.raises(UsageError):
        Veil(**wrong)
