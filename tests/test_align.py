from __future__ import annotations

import cv2
import numpy as np
import pytest

from facecli import align
from facecli.contract import CropSpec
from facecli.errors import PluginError
from facecli.types import Detections, Image

TEMPLATE = ((30.0, 30.0), (70.0, 30.0), (50.0, 50.0), (35.0, 75.0), (65.0, 75.0))
SPEC = CropSpec(100, 100, TEMPLATE)


def picture(scale: float, angle: float) -> tuple[Image, Detections]:
    """Five discs of different colours where the template's points are, turned, scaled and shifted."""
    size = 1000
    turn = cv2.getRotationMatrix2D((50, 50), angle, scale)
    turn[:, 2] += size / 2 - 50
    canvas = np.zeros((size, size, 3), np.uint8)
    points = np.array(TEMPLATE) @ turn[:, :2].T + turn[:, 2]
    for number, (x, y) in enumerate(points):
        cv2.circle(canvas, (round(x), round(y)), max(2, round(4 * scale)), (250, 50 * number, 120), cv2.FILLED)
    box = np.concatenate([points.min(0), points.max(0)]).astype(np.float32)[None]
    return Image(canvas, "x"), Detections(box, np.float32([1]), points.astype(np.float32)[None])


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.3, 7.0])
@pytest.mark.parametrize("angle", [0, 33, 170])
def test_landmarks_land_on_the_template(scale: float, angle: float) -> None:
    crop = align.cut(*picture(scale, angle), SPEC)[0]
    for number, (x, y) in enumerate(TEMPLATE):
        assert np.abs(crop[int(y), int(x)].astype(int) - [250, 50 * number, 120]).max() < 40, (
            number,
            crop[int(y), int(x)],
        )


def test_a_large_face_is_averaged_not_skipped_over() -> None:
    """A fine chequerboard must turn grey: a plain bilinear warp picks single pixels and leaves a pattern."""
    board = (np.indices((2000, 2000)).sum(0) % 2 * 255).astype(np.uint8)
    image = Image(np.repeat(board[:, :, None], 3, 2), "x")
    points = (np.array(TEMPLATE, np.float32) * 19)[None]
    face = Detections(np.float32([[0, 0, 1900, 1900]]), np.float32([1]), points)
    crop = align.cut(image, face, SPEC)[0]
    assert np.abs(crop[5:-5, 5:-5].astype(int) - 127).max() < 20


def test_no_faces_no_crops() -> None:
    image, _ = picture(1, 0)
    assert align.cut(image, Detections.empty(landmarks=True), SPEC).shape == (0, 100, 100, 3)


def test_aligned_crops_need_landmarks() -> None:
    image, faces = picture(1, 0)
    with pytest.raises(PluginError, match="landmarks"):
        align.cut(image, Detections(faces.bboxes, faces.scores), SPEC)


def test_a_bbox_crop_with_margin_is_centred_and_black_outside() -> None:
    canvas = np.zeros((40, 40, 3), np.uint8)
    canvas[:20, :10] = 200
    face = Detections(np.float32([[0, 0, 10, 20]]), np.float32([1]))
    exact = align.cut(Image(canvas, "x"), face, CropSpec(10, 20))[0]
    assert (exact == 200).all()
    wide = align.cut(Image(canvas, "x"), face, CropSpec(40, 40, margin=0.5, square=True))[0]
    assert (wide[:, :5] == 0).all()  # what lies left of the picture
    assert (wide[15:25, 17:23] == 200).all()


def test_a_face_half_outside_or_absurdly_small_still_gives_a_crop() -> None:
    image, faces = picture(1, 0)
    for shift in (-700.0, 700.0, 1e5):
        away = Detections(faces.bboxes + np.float32(shift), faces.scores, faces.landmarks + np.float32(shift))  # type: ignore[operator]
        assert align.cut(image, away, SPEC).shape == (1, 100, 100, 3)
    point = Detections(faces.bboxes * 0, faces.scores, faces.landmarks * 0)  # type: ignore[operator]
    assert align.cut(image, point, SPEC).shape == (1, 100, 100, 3)


def test_the_whole_picture_as_a_crop() -> None:
    image, _ = picture(1, 0)
    assert align.whole(image, CropSpec(48, 64)).shape == (1, 64, 48, 3)
