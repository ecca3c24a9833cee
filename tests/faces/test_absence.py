"""A picture without a face: the hint fits what is known of it."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.faces.absence import no_face
from facecli.types import Image

NOISE = np.random.default_rng(0).integers(0, 256, (300, 200, 3)).astype(np.uint8)


def told(pixels: np.ndarray, *, turned: bool = False, seen: float | None = None) -> str:
    return str(no_face(Image(pixels, "x"), turned=turned, plugin="yunet", seen=seen))


@pytest.mark.parametrize(
    ("level", "colour"), [(0, "nearly black"), (255, "nearly white"), (90, "nearly of one colour")]
)
def test_a_picture_that_shows_nothing_is_named(level: int, colour: str) -> None:
    pixels = np.clip(level + NOISE.astype(int) % 8, 0, 255).astype(np.uint8)
    pixels[:5, :5] = 255 - level  # a few other pixels do not count
    assert told(pixels) == f"no face found in x, which is {colour}; see whether it is the picture that you mean"
    assert "nearly" not in told(np.dstack([pixels[..., 0], NOISE[..., 0], pixels[..., 0]]))


def test_the_hint_fits_the_size_and_what_was_tried() -> None:
    crop, whole = told(NOISE), told(np.tile(NOISE, (4, 2, 1)), seen=640)
    assert crop.endswith("try rotate auto if it is turned, another detector or no_detect if the picture is a face")
    assert whole.endswith("try rotate auto if it is turned or another detector")
    assert told(np.tile(NOISE, (4, 2, 1)), turned=True).endswith("try another detector")


def test_a_picture_that_was_seen_much_smaller_is_to_be_seen_larger() -> None:
    wide = told(np.tile(NOISE, (1, 20, 1)), seen=640)
    assert "; try parameters yunet.size=4000 (it was seen 6 times smaller; if the model takes that), rotate" in wide
    assert "yunet.size=4096 (" in told(np.tile(NOISE, (1, 50, 1)), seen=640)
    assert "size" not in told(np.tile(NOISE, (1, 20, 1)), seen=None)
