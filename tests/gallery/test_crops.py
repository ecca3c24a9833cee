from __future__ import annotations

import numpy as np
import pytest

from facecli.gallery import crops
from facecli.pictures import codec
from facecli.types import Image, Limits


def picture(width, height, bbox):
    """Black, with a white face."""
    pixels = np.zeros((height, width, 3), np.uint8)
    x1, y1, x2, y2 = bbox
    pixels[max(y1, 0) : y2, max(x1, 0) : x2] = 255
    return Image(pixels, "a.png")


def white(pixels):
    rows, columns = np.nonzero(pixels[..., 0] > 127)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize(
    ("size", "bbox", "side"),
    [
        ((900, 700), (300, 200, 500, 440), (224, 224)),  # made smaller
        ((900, 700), (300, 200, 340, 250), (100, 100)),  # as it is
        ((900, 700), (0, 10, 100, 110), (150, 160)),  # at the edge
        ((300, 200), (-20, -30, 260, 190), (224, 149)),  # larger than the picture
    ],
)
def test_face_is_where_it_is_said_to_be(size, bbox, side):
    box = np.array(bbox, np.float32)
    data = crops.cut(picture(*size, bbox), box)
    pixels = codec.decode(data, "crop", Limits()).pixels
    assert pixels.shape[1::-1] == side
    expected = crops.placed(box, *size).clip(0, [*side, *side])
    assert np.abs(np.array(white(pixels)) - expected).max() <= 1.5


def test_picture_that_is_a_face_is_kept_as_a_whole():
    pixels = codec.decode(crops.cut(picture(448, 336, (0, 0, 448, 336)), None), "crop", Limits()).pixels
    assert pixels.shape == (168, 224, 3) and pixels.min() > 250
